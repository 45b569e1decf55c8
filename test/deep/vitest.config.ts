import { defineConfig } from "vitest/config";

/** What `npm test` does in little: the same properties, many times over. */
export default defineConfig({ test: { name: "deep", include: ["test/deep/**/*.deep.ts"], pool: "threads", testTimeout: 3_600_000 } });
