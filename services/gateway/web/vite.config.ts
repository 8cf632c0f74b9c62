import vue from '@vitejs/plugin-vue'
import { ElementPlusResolver } from 'unplugin-vue-components/resolvers'
import components from 'unplugin-vue-components/vite'
import { defineConfig, type Plugin } from 'vite'
import { VitePWA } from 'vite-plugin-pwa'

/** Folders whose pages the device keeps, to open without a network; those of all others are fetched when opened. */
const KEPT = /\/src\/(app|account|clerk|session|status)\//
const kept = new Set<string>()

/** Finds the files that the kept pages need: from the entry along imports, and along lazy ones to pages that are kept. */
const whatIsKept: Plugin = {
  name: 'what-is-kept',
  generateBundle(_, bundle) {
    const follow = (name: string) => {
      const chunk = bundle[name]
      if (kept.has(name) || chunk?.type !== 'chunk') return
      kept.add(name)
      for (const sheet of chunk.viteMetadata?.importedCss ?? []) kept.add(sheet)
      chunk.imports.forEach(follow)
      for (const lazy of chunk.dynamicImports) {
        const page = bundle[lazy]
        const folder = page?.type === 'chunk' ? (page.facadeModuleId ?? '') : ''
        if (!folder.includes('/src/') || KEPT.test(folder)) follow(lazy)
      }
    }
    for (const [name, chunk] of Object.entries(bundle)) if (chunk.type === 'chunk' && chunk.isEntry) follow(name)
  },
}

export default defineConfig({
  plugins: [
    vue(),
    whatIsKept,
    components({ dirs: [], dts: false, resolvers: [ElementPlusResolver()] }),
    VitePWA({
      registerType: 'prompt', // a clerk in the middle of a count decides when the page is replaced
      includeAssets: ['icon.svg'],
      manifest: {
        name: '储备 Chubei',
        short_name: '储备',
        lang: 'zh-CN',
        start_url: '/',
        display: 'standalone',
        background_color: '#f6f7f8',
        theme_color: '#0b5cad',
        icons: [{ src: '/icon.svg', sizes: 'any', type: 'image/svg+xml', purpose: 'any maskable' }],
      },
      workbox: {
        globPatterns: ['**/*.{html,js,css,svg}'],
        manifestTransforms: [
          (found) => ({ manifest: found.filter(({ url }) => !url.startsWith('assets/') || kept.has(url)) }),
        ],
        navigateFallback: '/index.html',
        navigateFallbackDenylist: [/^\/v1\//, /^\/docs/, /^\/pages\//, /^\/openapi\.json/],
      },
    }),
  ],
  build: {
    outDir: '../chubei_gateway/web',
    emptyOutDir: true,
    assetsInlineLimit: 0, // the content security policy has no data: for scripts, and few for the rest
    target: 'es2022',
  },
})
