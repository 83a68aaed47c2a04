import { createRequire } from 'node:module';
import { defineConfig } from 'vitest/config';

const require = createRequire(import.meta.url);

export default defineConfig({
  // Without the alias vitest loads the ES and the CommonJS copy of graphql side by side, and `instanceof` fails.
  resolve: { alias: { graphql: require.resolve('graphql') } },
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/services.ts'],
    // These only tell that something never comes, also where other work keeps the machine busy.
    testTimeout: 240_000,
    hookTimeout: 240_000,
    expect: { poll: { timeout: 100_000 } },
    pool: 'forks',
    maxWorkers: 2,
  },
});
