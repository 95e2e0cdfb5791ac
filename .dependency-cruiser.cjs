/** Dependencies point one way (ARCHITECTURE.md). Read from the built JavaScript: types do not count, what runs does. */
const built = (folder) => `^packages/${folder}/dist/`
const forbid = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to })

module.exports = {
  forbidden: [
    forbid(
      'no-cycles-between-packages',
      'contract <- runtime <- the rest',
      { path: built('contract') },
      { path: '^packages/(?!contract/)' },
    ),
    forbid(
      'runtime-knows-contract-only',
      'runtime is below all services',
      { path: built('runtime') },
      { path: '^packages/(?!(contract|runtime)/)' },
    ),
    forbid('contract-is-pure', 'no I/O, no dependency but zod', { path: built('contract') }, { dependencyTypes: ['core'] }),
    forbid(
      'api-alone',
      'the control plane does not know agents and proxies',
      { path: built('api') },
      { path: '^packages/(compute|console-proxy|kilonova)/' },
    ),
    forbid('compute-alone', 'agents speak over the bus', { path: built('compute') }, { path: '^packages/(api|console-proxy|kilonova)/' }),
    forbid(
      'console-proxy-alone',
      'proxies speak over the bus',
      { path: built('console-proxy') },
      { path: '^packages/(api|compute|kilonova)/' },
    ),
    forbid(
      'no-database-outside-api',
      'compute and console-proxy have no database',
      { path: '^packages/(compute|console-proxy|runtime)/dist/' },
      { path: 'node_modules/(pg|better-sqlite3|kysely|@mikro-orm)/' },
    ),
    forbid(
      'libvirt-only-in-its-driver',
      'no libvirt outside compute',
      { path: '^packages/(?!compute/)' },
      { path: 'drivers/libvirt/rpc/' },
    ),
    forbid(
      'db-is-the-floor',
      'db knows no service',
      { path: `${built('api')}db/` },
      { path: `${built('api')}(modules|conductor|scheduler|placement|graphql|events)/` },
    ),
    forbid(
      'scheduler-is-pure',
      'no I/O in the decision',
      { path: `${built('api')}scheduler/(schedule|filters|weighers)` },
      { path: '(dist/db/|node_modules/(kysely|pg))' },
    ),
    forbid(
      'conductors-below-modules',
      'modules -> conductor, never back',
      { path: `${built('api')}conductor/` },
      { path: `${built('api')}(modules|graphql)/` },
    ),
    forbid(
      'services-know-no-graphql',
      'resolvers are thin, services know no GraphQL',
      { path: `${built('api')}modules/.*\\.(service|repository|store)\\.js` },
      { path: '(dist/graphql/|node_modules/(graphql|type-graphql)/)' },
    ),
    forbid(
      'no-cycles',
      'a cycle is two rooms without a wall',
      { path: '^packages/(contract|runtime|compute|console-proxy|kilonova)/' },
      { circular: true },
    ),
  ],
  options: {
    includeOnly: '^(packages|node_modules)',
    exclude: { path: '(/src/|^packages/web/|\\.test\\.|\\.testkit\\.)' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { conditionNames: ['import', 'default'], exportsFields: ['exports'] },
    moduleSystems: ['es6'],
  },
}
