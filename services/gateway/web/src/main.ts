import { createApp } from 'vue'

import App from './app/App.vue'
import { router } from './app/router'
import './app/style.css'
import { i18n } from './i18n'

// A wheel scrolls the page: over the number that was typed last it would count it up or down, unseen.
addEventListener('wheel', () => {
  const typed = document.activeElement
  if (typed instanceof HTMLInputElement && typed.type === 'number') typed.blur()
})

createApp(App).use(i18n).use(router).mount('#app')
