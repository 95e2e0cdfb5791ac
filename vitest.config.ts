import { defineConfig } from 'vitest/config'

const shared = {
  resolve: { conditions: ['@kilonova/source'] },
  ssr: { resolve: { conditions: ['@kilonova/source'] } },
  oxc: { decorator: { legacy: true } },
}

/** Vitest keeps one copy of graphql: the one type-graphql loads. */
const server = { deps: { inline: [/graphql/] } }

export default defineConfig({
  test: {
    projects: [
      {
        ...shared,
        test: {
          name: 'unit',
          include: ['packages/*/src/**/*.test.ts'],
          exclude: ['**/*.guest.test.ts', '**/node_modules/**'],
          server,
          testTimeout: 30_000,
          hookTimeout: 60_000,
          globalSetup: ['./tests/databases.ts'],
          // Most of them wait for processes of their own most of the time.
          maxWorkers: 2,
        },
      },
      {
        ...shared,
        test: {
          name: 'guests',
          include: ['packages/*/src/**/*.guest.test.ts'],
          server,
          testTimeout: 180_000,
          hookTimeout: 180_000,
          fileParallelism: false,
        },
      },
    ],
  },
})
