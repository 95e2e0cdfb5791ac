/** Builds the dashboard into `dist`, which the cloud serves; the consoles' libraries become chunks of their own. */
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

export default defineConfig({
  plugins: [react()],
  // Everything is a file: the server's content security policy allows no inline scripts.
  build: { assetsInlineLimit: 0, sourcemap: false, chunkSizeWarningLimit: 900 },
})
