/** The frame around the pages: projects, the command palette, what is shown instead of a page, sessions that end, several tabs. */
import { expect, type Page, test } from '@playwright/test'
import { Api } from './api.js'
import { TestCloud } from './cloud.js'
import {
  expectAccessible,
  heading,
  launch,
  openDialog,
  openPage,
  row,
  serverStatus,
  signIn,
  uploadImage,
  watchComplaints,
} from './dashboard.js'

const publicKey = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIwUFGNsNjOjWuxSL2DnR7STNbgCJrkaPFKQfMcJYXZI test'
const member = { username: 'mara', password: 'a long enough password' }

const palette = (page: Page) => page.getByRole('dialog', { name: 'Search and commands' })
const openPalette = async (page: Page) => {
  await page.keyboard.press('Control+k')
  await expect(palette(page).getByRole('combobox')).toBeFocused()
}

test.describe('shell', () => {
  test.describe.configure({ mode: 'serial' })
  let cloud: TestCloud
  let admin: Api
  let page: Page
  let complaints: string[]

  test.beforeAll(async ({ browser }) => {
    cloud = await TestCloud.start()
    admin = await Api.signIn(cloud)
    const { userId } = await admin.me()
    const [research, sales] = await Promise.all([admin.createProject('research'), admin.createProject('sales')])
    await admin.assignRole(userId, { projectId: research, roleId: 'admin' })
    await admin.createUser(member, [
      { projectId: research, roleId: 'member' },
      { projectId: sales, roleId: 'reader' },
    ])
    page = await (await browser.newContext()).newPage()
    complaints = watchComplaints(page)
  })
  test.afterAll(async () => {
    await page?.context().close()
    await cloud?.purge()
  })

  test('the project is changed at the top of the page; what is shown and the streams follow', async ({ browser }) => {
    await signIn(page, cloud)
    await uploadImage(page, 'tiny disk')
    await launch(page, { name: 'ours', image: 'tiny disk', flavor: 'm1.nano' })
    await expect(serverStatus(page, 'Active')).toBeVisible()
    await page.getByRole('button', { name: 'Project: admin' }).click()
    await page.getByRole('menuitem', { name: 'research' }).click()
    // The server of the other project is not here, so its page gives way to the list.
    await expect(heading(page, 'Servers')).toBeVisible()
    await expect(page.getByText('No servers yet')).toBeVisible()

    // The stream is the new project's: what happens in the old one is not told, what happens here is.
    const other = await (await browser.newContext()).newPage()
    await signIn(other, cloud)
    await other.getByRole('button', { name: 'Project: ' }).click()
    await other.getByRole('menuitem', { name: 'research' }).click()
    await uploadImage(other, 'research disk')
    await launch(other, { name: 'theirs', image: 'research disk', flavor: 'm1.nano' })
    await expect(row(page, 'theirs').getByText('Active')).toBeVisible()
    await expect(row(page, 'ours')).toHaveCount(0)
    await other.context().close()

    await openPage(page, 'Images')
    await page.getByRole('button', { name: 'Project: research' }).click()
    await page.getByRole('menuitem', { name: 'admin' }).click()
    await expect(page.getByRole('button', { name: 'Project: admin' })).toBeVisible()
    await expect(heading(page, 'Images')).toBeVisible()
  })

  test('the palette leads to pages and things, by keyboard alone', async () => {
    await openPage(page, 'Servers')
    await openPalette(page)
    await expectAccessible(page)
    await page.keyboard.type('flav')
    await expect(palette(page).getByRole('option', { name: 'Flavors' })).toHaveAttribute('aria-selected', 'true')
    await page.keyboard.press('Enter')
    await expect(heading(page, 'Flavors')).toBeVisible()
    await expect(heading(page, 'Flavors')).toBeFocused()

    await openPalette(page)
    await page.keyboard.type('ours')
    await expect(palette(page).getByRole('option', { name: /ours/ })).toHaveAttribute('aria-selected', 'true')
    await page.keyboard.press('Enter')
    await expect(heading(page, 'ours')).toBeVisible()
    const id = page.url().split('/').at(-1) ?? ''

    await openPage(page, 'Activity')
    await openPalette(page)
    await page.keyboard.type(id)
    await expect(palette(page).getByRole('option', { name: /ours/ })).toBeVisible()
    await page.keyboard.press('Enter')
    await expect(heading(page, 'ours')).toBeVisible()

    for (const [typed, group] of [
      ['tiny disk', 'Images'],
      ['m1.nano', 'Flavors'],
    ] as const) {
      await openPalette(page)
      await page.keyboard.type(typed)
      await expect(palette(page).getByRole('group', { name: group }).getByRole('option')).toHaveCount(1)
      await page.keyboard.press('Enter')
      await expect(heading(page, typed)).toBeVisible()
    }

    await openPalette(page)
    await page.keyboard.type('nothing is called so')
    await expect(palette(page).getByText('Nothing matches.')).toBeVisible()
    await page.keyboard.press('Escape')
    await expect(palette(page)).toBeHidden()
  })

  test('the palette does what can be done to the server in sight, and says why it cannot', async () => {
    await openPage(page, 'Servers')
    await page.getByRole('link', { name: 'ours' }).click()
    await expect(serverStatus(page, 'Active')).toBeVisible()
    await openPalette(page)
    await page.keyboard.type('start')
    const start = palette(page)
      .getByRole('group', { name: 'ours' })
      .getByRole('option', { name: /^Start/ })
    await expect(start).toHaveAttribute('aria-disabled', 'true')
    await page.keyboard.press('Enter')
    await expect(palette(page)).toBeVisible()
    await page.getByRole('combobox').fill('ours stop')
    await page.keyboard.press('Enter')
    await expect(serverStatus(page, 'Shutoff')).toBeVisible()
    // One that asks first opens its own dialog.
    await openPalette(page)
    await page.keyboard.type('ours delete')
    await page.keyboard.press('Enter')
    const dialog = await openDialog(page)
    await expect(dialog.getByText('Delete this server?')).toBeVisible()
    // Nobody is led away from a dialog.
    await page.keyboard.press('Control+k')
    await expect(palette(page)).toBeHidden()
    await page.keyboard.press('Escape')
    await expect(dialog).toBeHidden()
  })

  test('what is not there, and what belongs to another project, is not found', async ({ browser }) => {
    await openPage(page, 'Servers')
    await page.getByRole('link', { name: 'ours' }).click()
    await expect(heading(page, 'ours')).toBeVisible()
    const ofAdmin = new URL(page.url()).pathname
    const other = await (await browser.newContext()).newPage()
    await signIn(other, cloud, ofAdmin, member)
    await expect(heading(other, 'Server not found')).toBeVisible()
    await expectAccessible(other)
    await other.goto(`${cloud.url}/servers/not-an-id`)
    await expect(heading(other, 'Server not found')).toBeVisible()
    await other.goto(`${cloud.url}/no/such/page`)
    await expect(heading(other, 'Page not found')).toBeVisible()
    await other.getByRole('link', { name: 'Go to the servers' }).click()
    await expect(heading(other, 'Servers')).toBeVisible()
    await other.context().close()
  })

  test('a page of administrators tells members which roles they have', async ({ browser }) => {
    const other = await (await browser.newContext()).newPage()
    await signIn(other, cloud, '/admin/hypervisors', member)
    await expect(other.getByText('You may not see this page')).toBeVisible()
    await expect(other.getByText(/Your roles \(.*member.*\) in project research do not include it/)).toBeVisible()
    await expectAccessible(other)
    await expect(other.getByRole('navigation', { name: 'Main' }).getByText('Administration')).toHaveCount(0)
    for (const path of ['/admin/services', '/admin/quotas']) {
      await other.goto(`${cloud.url}${path}`)
      await expect(other.getByText('You may not see this page')).toBeVisible()
    }
    // A reader may look, but is offered nothing that changes anything.
    await other.getByRole('button', { name: 'Project: research' }).click()
    await other.getByRole('menuitem', { name: 'sales' }).click()
    await openPage(other, 'Servers')
    await expect(other.getByRole('link', { name: 'Launch server' })).toHaveCount(0)
    await other.context().close()
  })

  test('a page that fails offers ways on', async ({ browser }) => {
    const other = await (await browser.newContext()).newPage()
    await signIn(other, cloud)
    // What is left of a page after an upgrade: its script is gone.
    await other.route(/flavors-page.*\.js$/, (route) => route.abort())
    await other.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Flavors' }).click()
    await expect(heading(other, 'This page could not be shown')).toBeVisible()
    await expectAccessible(other)
    await other.getByRole('link', { name: 'Go to the servers' }).click()
    await expect(heading(other, 'Servers')).toBeVisible()
    await other.context().close()
  })

  test('a session that ends takes no form with it: what was sent goes through after signing in again', async ({ browser }) => {
    const other = await (await browser.newContext()).newPage()
    await signIn(other, cloud, '/keypairs', member)
    await other.getByRole('button', { name: 'Import key pair' }).click()
    const form = await openDialog(other)
    await form.getByLabel('Name').fill('laptop')
    await form.getByLabel('Public key').fill(publicKey)
    await (await Api.signIn(cloud, member)).endAllSessions()
    // Either the page hears of the end by itself, or the submit does.
    const again = other.getByRole('dialog', { name: 'Your session has ended' })
    await expect(again).toBeVisible()
    await expect(again.getByLabel('Password')).toBeFocused()
    await expectAccessible(other)
    await again.getByLabel('Password').fill('wrong')
    await other.keyboard.press('Enter')
    await expect(again.getByText('User name or password wrong.')).toBeVisible()
    await again.getByLabel('Password').fill(member.password)
    await again.getByRole('button', { name: 'Sign in' }).click()
    await expect(again).toBeHidden()
    await expect(form.getByLabel('Name')).toHaveValue('laptop')
    await form.getByRole('button', { name: 'Import' }).click()
    await expect(form).toBeHidden()
    await expect(row(other, 'laptop')).toBeVisible()
    await other.context().close()
  })

  test('a request that comes upon the end of the session is sent once the user is back', async ({ browser }) => {
    const other = await (await browser.newContext()).newPage()
    // No stream tells the page that the session is over: the form finds out.
    await other.routeWebSocket(/graphql/, () => undefined)
    await signIn(other, cloud, '/servers/new', member)
    await other.getByRole('textbox', { name: 'Name', exact: true }).fill('held')
    await other.getByRole('radio', { name: 'research disk' }).check()
    await other.getByRole('radio', { name: 'm1.nano' }).check()
    await (await Api.signIn(cloud, member)).endAllSessions()
    // Another request of the page may come first; its dialog lies over the button then.
    await other.getByRole('button', { name: 'Launch', exact: true, includeHidden: true }).dispatchEvent('click')
    const again = other.getByRole('dialog', { name: 'Your session has ended' })
    await again.getByLabel('Password').fill(member.password)
    await again.getByRole('button', { name: 'Sign in' }).click()
    await expect(heading(other, 'held')).toBeVisible()
    await other.context().close()
  })

  test('nobody is kept on a page whose session has ended', async ({ browser }) => {
    const other = await (await browser.newContext()).newPage()
    await signIn(other, cloud, '/servers', member)
    await (await Api.signIn(cloud, member)).endAllSessions()
    await other.getByRole('dialog', { name: 'Your session has ended' }).getByRole('button', { name: 'Leave this page' }).click()
    await expect(heading(other, 'Sign in to Kilonova')).toBeVisible()
    await other.context().close()
  })

  test('nothing failed in the browser, and nothing was blocked', () => {
    // What was under way when the project changed is refused once, and sent again with the new token.
    expect(complaints.filter((complaint) => !complaint.includes('401 (Unauthorized)'))).toEqual([])
  })
})

test.describe('several tabs of one login, with access tokens that live 2 seconds', () => {
  let cloud: TestCloud
  test.beforeAll(async () => {
    cloud = await TestCloud.start({ options: 'identity:\n  access_token_seconds: 2\n' })
  })
  test.afterAll(async () => cloud?.purge())

  test('each goes on while the others renew; signing out in one ends all', async ({ browser }) => {
    const context = await browser.newContext()
    const [first, second] = [await context.newPage(), await context.newPage()]
    await signIn(first, cloud)
    const renewals: string[] = []
    const refusals: string[] = []
    for (const tab of [first, second]) {
      tab.on('request', (request) => {
        if (request.postData()?.includes('mutation RefreshSession') === true) renewals.push(request.url())
      })
      tab.on('response', async (response) => {
        if (!response.url().endsWith('/graphql') || response.request().method() !== 'POST') return
        const body = await response.text().catch(() => '')
        if (body.includes('UNAUTHENTICATED') && response.request().postData()?.includes('mutation RefreshSession') === true)
          refusals.push(body)
      })
    }
    await second.goto(`${cloud.url}/flavors`)
    await expect(heading(second, 'Flavors')).toBeVisible()
    const before = renewals.length
    await expect.poll(() => renewals.length).toBeGreaterThan(before + 4)
    expect(refusals).toEqual([])
    for (const tab of [first, second]) {
      await openPage(tab, 'Images')
      await expect(tab.getByText('No images yet')).toBeVisible()
      await expect(tab.getByRole('dialog')).toHaveCount(0)
    }
    await first.getByRole('button', { name: 'User menu of admin' }).click()
    await first.getByRole('menuitem', { name: 'Sign out' }).click()
    for (const tab of [first, second]) await expect(heading(tab, 'Sign in to Kilonova')).toBeVisible()
    await context.close()
  })
})
