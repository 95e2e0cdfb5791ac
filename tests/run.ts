/**
 * `./kilonova test`: types, lint, dependency rules, unit and integration tests on both databases, real guests, a real browser.
 * Ends with `N passed, N failed` alone on a line. `--fast` leaves out guests and browser.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const usage = `usage: ./kilonova test [--fast]

Runs every test: types, lint, dependency rules, unit and integration tests on SQLite and PostgreSQL,
libvirt with real guests, and the dashboard in Chromium.

  --fast   without guests and browser
  --help   this text
`
const flags = process.argv.slice(2)
if (flags.includes('--help')) {
  process.stdout.write(usage)
  process.exit(0)
}
const unknown = flags.find((flag) => flag !== '--fast')
if (unknown !== undefined) {
  process.stderr.write(`kilonova test: unknown flag ${unknown}\n${usage}`)
  process.exit(2)
}
const fast = flags.includes('--fast')

interface Outcome {
  passed: string[]
  failed: string[]
  skipped: string[]
  flaky: string[]
  /** Why a test failed, or failed at first, by its name. */
  reasons: Record<string, string>
}
const total: Outcome = { passed: [], failed: [], skipped: [], flaky: [], reasons: {} }
const scratch = mkdtempSync(join(tmpdir(), 'kilonova-run-'))

const run = (command: string, args: string[], env: NodeJS.ProcessEnv = {}): number =>
  spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, ...env } }).status ?? 1

function section(title: string): void {
  process.stdout.write(`\n== ${title}\n`)
}

/** A check that either passes or fails as a whole. */
function check(title: string, command: string, args: string[]): void {
  section(title)
  ;(run(command, args) === 0 ? total.passed : total.failed).push(title)
}

/** Packages the tests need beside those of `up`. Nothing that apt installs is started. */
function installTestPackages(): void {
  const wanted: [string, string][] = [
    ['/usr/lib/postgresql', 'postgresql'],
    ['/usr/bin/redis-server', 'redis-server'],
    ...(fast
      ? []
      : ([
          ['/usr/bin/chromium', 'chromium'],
          ['/usr/sbin/libvirtd', 'libvirt-daemon'],
          ['/usr/lib/x86_64-linux-gnu/libvirt/connection-driver/libvirt_driver_qemu.so', 'libvirt-daemon-driver-qemu'],
          ['/usr/bin/qemu-system-x86_64', 'qemu-system-x86'],
          ['/usr/bin/qemu-img', 'qemu-utils'],
          ['/usr/sbin/dnsmasq', 'dnsmasq-base'],
          ['/usr/bin/genisoimage', 'genisoimage'],
          ['/usr/sbin/ip', 'iproute2'],
          ['/usr/sbin/nft', 'nftables'],
          ['/usr/bin/mcopy', 'mtools'],
          ['/usr/bin/syslinux', 'syslinux'],
          ['/usr/lib/syslinux/modules/bios/ldlinux.c32', 'syslinux-common'],
          ['/usr/bin/cpio', 'cpio'],
          ['/usr/sbin/modprobe', 'kmod'],
          ['/usr/bin/lz4', 'lz4'],
          ['/usr/bin/tini', 'tini'],
          ['/usr/sbin/sfdisk', 'fdisk'],
        ] as [string, string][])),
  ]
  const missing = wanted.filter(([path]) => !existsSync(path)).map(([, name]) => name)
  if (!existsSync('/bin/busybox') && !fast) missing.push('busybox-static')
  if (missing.length === 0) return
  section(`Installing ${missing.join(', ')}`)
  if (process.getuid?.() !== 0) {
    process.stdout.write(`not root: install them with: apt-get install --no-install-recommends ${missing.join(' ')}\n`)
    return
  }
  // Debian's PostgreSQL makes and starts a cluster, and Redis a server, unless told not to.
  const createCluster = '/etc/postgresql-common/createcluster.conf'
  if (!existsSync(createCluster)) {
    run('mkdir', ['-p', '/etc/postgresql-common'])
    writeFileSync(createCluster, 'create_main_cluster = false\nstart_conf = manual\n')
  }
  const policy = '/usr/sbin/policy-rc.d'
  const ownPolicy = !existsSync(policy)
  if (ownPolicy) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  const apt = { DEBIAN_FRONTEND: 'noninteractive' }
  run('apt-get', ['update', '-qq'], apt)
  const status = run(
    'apt-get',
    [
      '-o',
      'DPkg::Lock::Timeout=600',
      '-o',
      'Dpkg::Options::=--force-confold',
      'install',
      '-y',
      '-qq',
      '--no-install-recommends',
      ...missing,
    ],
    apt,
  )
  if (ownPolicy) rmSync(policy)
  if (status !== 0) {
    process.stdout.write('the packages could not be installed\n')
    total.failed.push('installing packages')
  }
}

/** Guests make bridges and rules: as root in a network namespace of their own, never in the machine's. */
const inOwnNetwork = (command: string, args: string[], env: NodeJS.ProcessEnv = {}): number =>
  process.getuid?.() === 0
    ? run('unshare', ['--net', process.execPath, '--no-warnings', join(root, 'tests/in-own-network.ts'), command, ...args], env)
    : run(command, args, env)

function vitest(project: string, start: typeof run = run): void {
  section(`Tests: ${project}`)
  const file = join(scratch, `${project}.json`)
  const status = start(
    'node_modules/.bin/vitest',
    ['run', '--project', project, '--reporter=default', `--reporter=${join(root, 'tests/outcome-reporter.ts')}`],
    {
      KILONOVA_TEST_OUTCOME: file,
    },
  )
  take(file, status, `tests: ${project}`)
}

function take(file: string, status: number, title: string): void {
  if (!existsSync(file)) {
    total.failed.push(`${title} did not finish`)
    return
  }
  const outcome = JSON.parse(readFileSync(file, 'utf8')) as Outcome
  for (const key of ['passed', 'failed', 'skipped', 'flaky'] as const) total[key].push(...outcome[key])
  Object.assign(total.reasons, outcome.reasons)
  if (status !== 0 && outcome.failed.length === 0) total.failed.push(`${title} failed outside of a test`)
}

installTestPackages()
check('Types', 'node_modules/.bin/tsc', ['-p', 'tsconfig.tests.json'])
check('Lint', 'node_modules/.bin/biome', ['check', '.'])
check('Floating promises', 'node_modules/.bin/oxlint', ['--type-aware', '-c', '.oxlintrc.json', 'packages'])
check('Dependency rules', 'node_modules/.bin/depcruise', ['packages', '--config', '.dependency-cruiser.cjs', '--output-type', 'err'])
vitest('unit')
if (!fast) {
  // Made here: the guests' network has no way to Debian's archive.
  process.env.KILONOVA_TEST_IMAGES = join(scratch, 'images')
  check('Tiny image', process.execPath, ['packages/kilonova/dist/main.js', 'tiny-image', '--folder', process.env.KILONOVA_TEST_IMAGES])
  vitest('guests', inOwnNetwork)
  section('Tests: browser')
  const file = join(scratch, 'browser.json')
  const status = inOwnNetwork('pnpm', ['--filter', '@kilonova/e2e', 'exec', 'playwright', 'test'], { KILONOVA_TEST_OUTCOME: file })
  take(file, status, 'tests: browser')
}
rmSync(scratch, { recursive: true, force: true })

const expected = new Set(
  readFileSync(join(root, 'tests/expected-skips.txt'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#')),
)
section('Outcome')
const because = (name: string): string =>
  (total.reasons[name] ?? '')
    .split('\n')
    .slice(0, 30)
    .map((line) => `    ${line}\n`)
    .join('')
for (const name of total.flaky) process.stdout.write(`FLAKY ${name}\n${because(name)}`)
for (const name of total.skipped) process.stdout.write(`SKIPPED ${name}\n`)
for (const name of total.skipped.filter((skipped) => !expected.has(skipped)))
  total.failed.push(`skipped although it is expected to run: ${name}`)
for (const name of total.failed) process.stdout.write(`FAILED ${name}\n${because(name)}`)
process.stdout.write(`${total.passed.length} passed, ${total.failed.length} failed\n`)
process.exit(total.failed.length === 0 ? 0 : 1)
