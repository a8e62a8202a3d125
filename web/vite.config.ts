import {svelte} from '@sveltejs/vite-plugin-svelte';
import {defineConfig} from 'vite';

export default defineConfig({
  base: './',
  plugins: [svelte()],
  worker: {format: 'es'},
  optimizeDeps: {exclude: ['maplibre-gl']},
  build: {outDir: 'dist', emptyOutDir: true, target: 'es2022', assetsInlineLimit: 0, chunkSizeWarningLimit: 1800, modulePreload: {polyfill: false}},
  server: {proxy: {'/api': 'http://127.0.0.1:8400'}},
});
