import { createApp } from 'vue'

import App from './app/App.vue'
import { router } from './app/router'
import './app/style.css'
import { i18n } from './i18n'

createApp(App).use(i18n).use(router).mount('#app')
