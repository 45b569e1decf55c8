import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    reporters: ["default", "./test/reporter.ts"],
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: ["test/e2e/**", "test/routes/dataplane/**", "test/clients/signatures/cosign/**"],
          pool: "threads",
          isolate: false,
          testTimeout: 120_000,
        },
      },
      {
        extends: true,
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          globalSetup: "./test/e2e/setup.ts",
          pool: "forks",
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 300_000,
        },
      },
      { extends: true, test: { name: "signatures", include: ["test/clients/signatures/cosign/**/*.test.ts"], pool: "forks", hookTimeout: 180_000 } },
      { extends: true, test: { name: "data plane", include: ["test/routes/dataplane/**/*.test.ts"], pool: "forks" } },
    ],
  },
});
