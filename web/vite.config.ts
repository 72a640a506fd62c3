import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// `npm run dev` serves the source at once and hands the API's paths on to a server on its usual port.
const SERVER = "http://127.0.0.1:8080";
const PATHS = ["/api", "/fabric", "/webhooks", "/callbacks", "/docs", "/openapi.json", "/healthz", "/readyz", "/metrics"];

export default defineConfig({
  plugins: [react()],
  build: {
    outDir: "../src/flowloom/ui",
    emptyOutDir: true,
    target: "es2022",
    // Browsers that know light-dark(), so that it is left as it is.
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
    // Scripts in the page are forbidden by its security policy, so the preloader is left out.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
  },
  server: { proxy: Object.fromEntries(PATHS.map((path) => [path, SERVER])) },
});
