/** Every page there is: no accessibility findings, everything in reach of the keyboard, and nothing that breaks when clicked. */
import AxeBuilder from '@axe-core/playwright'
import { expect, type Page, test } from '@playwright/test'
import { Api } from './api.js'
import { TestCloud } from './cloud.js'
import { launch, serverStatus, signIn, uploadImage, watchComplaints } from './dashboard.js'
import { clickEverything, openSettled, routePatterns, walkByTab } from './walk.js'

/** A guest's screen and terminal take every key, Tab too; the way out is the pointer or the page's tabs before them. */
const takesKeys = /\/(console|serial)$/

test.describe('every page', () => {
  test.describe.configure({ mode: 'serial' })
  let cloud: TestCloud
  let page: Page
  let complaints: string[]
  let samples: Record<string, readonly string[]>
  let paths: string[]

  test.beforeAll(async ({ browser }) => {
    cloud = await TestCloud.start()
    page = await (await browser.newContext({ reducedMotion: 'reduce' })).newPage()
    complaints = watchComplaints(page)
    await signIn(page, cloud)
    await uploadImage(page, 'tiny disk')
    await launch(page, { name: 'web', image: 'tiny disk', flavor: 'm1.nano' })
    await expect(serverStatus(page, 'Active')).toBeVisible()
    const server = new URL(page.url()).pathname
    const api = await Api.signIn(cloud)
    const { projectId, userId } = await api.me()
    const { images } = await api.run<{ images: { nodes: { id: string }[] } }>('{ images(first: 1) { nodes { id } } }')
    await api.run('mutation ($input: ImportKeypairInput!) { importKeypair(input: $input) { __typename } }', {
      name: 'laptop',
      publicKey: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIwUFGNsNjOjWuxSL2DnR7STNbgCJrkaPFKQfMcJYXZI test',
      idempotencyKey: 'walk-keypair-1',
    })
    const { hypervisors } = await api.run<{ hypervisors: { nodes: { id: string }[] } }>('{ hypervisors(first: 1) { nodes { id } } }')
    const { flavors } = await api.run<{ flavors: { nodes: { id: string }[] } }>('{ flavors(first: 1) { nodes { id } } }')
    /** Each pattern with parameters, as addresses. */
    samples = {
      '/servers/:serverId/:tab?': ['', '/activity', '/console', '/serial', '/log'].map((tab) => `${server}${tab}`),
      '/images/:imageId': [`/images/${images.nodes[0]?.id}`],
      '/admin/hypervisors/:hypervisorId': [`/admin/hypervisors/${hypervisors.nodes[0]?.id}`],
      '/keypairs/:name': ['/keypairs/laptop'],
      '/flavors/:flavorId': [`/flavors/${flavors.nodes[0]?.id}`],
      '/admin/quotas/:projectId': [`/admin/quotas/${projectId}`],
      '/admin/projects/:projectId': [`/admin/projects/${projectId}`],
      '/admin/users/:userId': [`/admin/users/${userId}`],
      // Leads to the server's page without a ticket, which is used up by opening it.
      '/console/:serverId/:kind': [],
      // Whoever is signed in is led on from here.
      '/sign-in': [],
    }
    paths = routePatterns().flatMap((pattern) => samples[pattern] ?? [pattern])
  })
  test.afterAll(async () => {
    await page?.context().close()
    await cloud?.purge()
  })

  test('is known to this test', () => {
    expect(paths.length).toBeGreaterThan(15)
    expect(paths.filter((path) => path.includes(':'))).toEqual([])
  })

  test('has no accessibility findings', async () => {
    test.setTimeout(120_000)
    for (const path of [...paths, '/nowhere']) {
      await openSettled(page, `${cloud.url}${path}`)
      const { violations } = await new AxeBuilder({ page }).analyze()
      expect.soft(violations.map(({ id, nodes }) => `${path} ${id}: ${nodes.map((node) => node.html).join(' ')}`)).toEqual([])
    }
  })

  test('is walked by Tab: every control is reached, the focus is seen, nothing holds it', async () => {
    test.setTimeout(120_000)
    for (const path of paths.filter((one) => !takesKeys.test(one))) {
      await openSettled(page, `${cloud.url}${path}`)
      expect.soft(await walkByTab(page), path).toEqual({ missed: [], unseen: [], trapped: false })
    }
  })

  test('survives a click on everything', async () => {
    test.setTimeout(240_000)
    const before = complaints.length
    for (const path of paths) {
      await clickEverything(page, `${cloud.url}${path}`)
      expect.soft(complaints.slice(before), path).toEqual([])
      await expect.soft(page.getByText('This page could not be shown'), path).toHaveCount(0)
    }
    expect(await clickEverything(page, `${cloud.url}/quotas`, 'header, nav')).toBeGreaterThan(8)
  })

  test('nothing failed in the browser, and nothing was blocked', () => {
    expect(complaints).toEqual([])
  })
})
