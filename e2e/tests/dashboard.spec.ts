/** The dashboard in a real browser on the fake driver: the main story, live updates, forms that keep what was typed, accessibility. */
import { expect, type Page, test } from '@playwright/test'
import { TestCloud } from './cloud.js'
import {
  act,
  confirmDelete,
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
const hostileName = '<img src=x onerror=alert(1)>'

test.describe('dashboard', () => {
  test.describe.configure({ mode: 'serial' })
  let cloud: TestCloud
  let page: Page
  let complaints: string[]

  test.beforeAll(async ({ browser }) => {
    cloud = await TestCloud.start()
    page = await (await browser.newContext()).newPage()
    complaints = watchComplaints(page)
  })
  test.afterAll(async () => {
    await page?.context().close()
    await cloud?.purge()
  })

  test('a wrong password is told beside the form, and signing in leads to the page asked for', async () => {
    await page.goto(`${cloud.url}/flavors`)
    await expect(heading(page, 'Sign in to Kilonova')).toBeVisible()
    await expectAccessible(page)
    await page.getByLabel('User name').fill('admin')
    await page.getByLabel('Password').fill('not it')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await expect(page.getByText('User name or password wrong.')).toBeVisible()
    await expect(page.getByLabel('User name')).toHaveValue('admin')
    await page.getByLabel('Password').fill(cloud.password)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await expect(heading(page, 'Flavors')).toBeVisible()
    await page.reload()
    await expect(heading(page, 'Flavors')).toBeVisible()
  })

  test('signing in never leads to another site', async ({ browser }) => {
    for (const next of ['//example.org', '/\\example.org', 'https://example.org', 'javascript:alert(1)']) {
      const other = await (await browser.newContext()).newPage()
      await signIn(other, cloud, `/sign-in?next=${encodeURIComponent(next)}`)
      await expect(heading(other, 'Servers')).toBeVisible()
      expect(new URL(other.url()).origin).toBe(cloud.url)
      await other.context().close()
    }
  })

  test('an image is uploaded, a wrong checksum is refused with the reason', async () => {
    await uploadImage(page, 'tiny disk')
    await page.getByRole('button', { name: 'Create image' }).click()
    const dialog = await openDialog(page)
    await dialog.getByRole('button', { name: 'Create and upload' }).click()
    await expect(dialog.getByText('Choose the file with the data.')).toBeVisible()
    await dialog
      .getByLabel('File')
      .setInputFiles({ name: 'bad.raw', mimeType: 'application/octet-stream', buffer: Buffer.alloc(4096, 'x') })
    await dialog.getByLabel('SHA-256 checksum').fill('0'.repeat(64))
    await dialog.getByRole('button', { name: 'Create and upload' }).click()
    await expect(dialog.getByText('The image was refused.')).toBeVisible()
    await expect(dialog.getByLabel('Name')).toHaveValue('bad')
    await dialog.getByRole('button', { name: 'Cancel' }).click()
    await expect(row(page, 'tiny disk')).toBeVisible()
    await expect(row(page, 'bad')).toHaveCount(0)
  })

  test('the launch form tells errors beside the fields and keeps what was typed', async () => {
    await page.goto(`${cloud.url}/servers/new`)
    const name = page.getByRole('textbox', { name: 'Name', exact: true })
    await page.getByRole('button', { name: 'Launch', exact: true }).click()
    await expect(page.getByText('Enter a name.')).toBeVisible()
    await expect(page.getByText('Choose an image.')).toBeVisible()
    await expect(name).toBeFocused()
    await name.fill('kept')
    await page.getByLabel('How many').fill('3')
    await expect(page.getByText('They will be called kept-1 … kept-3.')).toBeVisible()
    await page.getByLabel('How many').fill('1')
    await page.getByRole('radio', { name: 'tiny disk' }).check()
    await page.getByRole('radio', { name: 'm1.nano' }).check()
    // Only the server knows the zones: its error names the field.
    await page.getByLabel('Availability zone').fill('nowhere')
    await page.getByRole('button', { name: 'Launch', exact: true }).click()
    await expect(page.getByText('The requested availability zone is not available.')).toBeVisible()
    await expect(page.getByLabel('Availability zone')).toHaveAttribute('aria-invalid', 'true')
    await expect(name).toHaveValue('kept')
    await page.reload()
    await expect(name).toHaveValue('kept')
    await expect(page.getByRole('radio', { name: 'tiny disk' })).toBeChecked()
    await page.getByRole('button', { name: 'Start over' }).click()
    await expect(name).toHaveValue('')
  })

  test('a server is launched, becomes active without a reload, is stopped and started', async () => {
    await launch(page, { name: hostileName, image: 'tiny disk', flavor: 'm1.nano' })
    await expect(heading(page, hostileName)).toBeVisible()
    await expect(page.getByText('It is shown only now.')).toBeVisible()
    await expect(serverStatus(page, 'Active')).toBeVisible()
    await page.getByRole('button', { name: 'Stop', exact: true }).click()
    await expect(serverStatus(page, 'Shutoff')).toBeVisible()
    await page.getByRole('button', { name: 'Start', exact: true }).click()
    await expect(serverStatus(page, 'Active')).toBeVisible()
    await page.getByRole('tab', { name: 'Activity' }).click()
    for (const kind of ['Create', 'Stop', 'Start'])
      await expect(page.getByRole('article', { name: kind }).getByText('Succeeded')).toBeVisible()
    await expectAccessible(page)
  })

  test('an action that is not possible stays in the menu with the reason', async () => {
    await openPage(page, 'Servers')
    await page.getByRole('button', { name: `Actions for ${hostileName}` }).click()
    const start = page.getByRole('menuitem', { name: 'Start' })
    await expect(start).toHaveAttribute('aria-disabled', 'true')
    await expect(start).not.toHaveText('Start')
    await page.keyboard.press('Escape')
  })

  test('what another session does shows up without a reload; the list filters', async ({ browser }) => {
    const other = await (await browser.newContext()).newPage()
    await signIn(other, cloud)
    await openPage(page, 'Servers')
    await launch(other, { name: 'pair', image: 'tiny disk', flavor: 'm1.nano', count: 2 })
    await expect(row(page, 'pair-1').getByText('Active')).toBeVisible()
    await expect(row(page, 'pair-2').getByText('Active')).toBeVisible()
    await page.getByLabel('Search name, id or address').fill('pair-2')
    await expect(row(page, 'pair-1')).toHaveCount(0)
    await expect(row(page, 'pair-2')).toBeVisible()
    await page.getByLabel('Search name, id or address').fill('')
    await other.context().close()
  })

  test('a server is deleted after a confirmation', async () => {
    await openPage(page, 'Servers')
    for (const name of ['pair-1', 'pair-2', hostileName]) {
      await act(page, name, 'Delete')
      await confirmDelete(page)
      await expect(row(page, name)).toHaveCount(0)
    }
    await expect(page.getByText('No servers yet')).toBeVisible()
  })

  test('a flavor is made, its extra specs are changed, it is deleted', async () => {
    await openPage(page, 'Flavors')
    await page.getByRole('button', { name: 'Create flavor' }).click()
    const dialog = await openDialog(page)
    await dialog.getByLabel('Name').fill('m1.nano')
    await dialog.getByLabel('vCPUs').fill('0')
    await dialog.getByRole('button', { name: 'Create' }).click()
    await expect(dialog.getByLabel('vCPUs')).toHaveAttribute('aria-invalid', 'true')
    await dialog.getByLabel('vCPUs').fill('1')
    await dialog.getByRole('button', { name: 'Create' }).click()
    // The name is taken: the server says so, the form stays as it is.
    await expect(dialog.getByLabel('Name')).toHaveAttribute('aria-invalid', 'true')
    await dialog.getByLabel('Name').fill('big one')
    await dialog.getByLabel('Extra spec 1 key').fill('hw:cpu_policy')
    await dialog.getByLabel('Extra spec 1 value').fill('shared')
    await dialog.getByRole('button', { name: 'Create' }).click()
    await expect(row(page, 'big one').getByText('hw:cpu_policy = shared')).toBeVisible()
    await act(page, 'big one', 'Edit extra specs')
    await openDialog(page)
    await dialog.getByLabel('Extra spec 1 value').fill('nonsense')
    await dialog.getByRole('button', { name: 'Save' }).click()
    await expect(dialog.getByText('must be one of')).toBeVisible()
    await dialog.getByLabel('Extra spec 1 value').fill('dedicated')
    await dialog.getByRole('button', { name: 'Save' }).click()
    await expect(row(page, 'big one').getByText('hw:cpu_policy = dedicated')).toBeVisible()
    await act(page, 'big one', 'Delete')
    await confirmDelete(page)
    await expect(row(page, 'big one')).toHaveCount(0)
  })

  test('a key pair is imported and deleted', async () => {
    await openPage(page, 'Key pairs')
    await page.getByRole('button', { name: 'Import key pair' }).click()
    const dialog = await openDialog(page)
    await dialog.getByLabel('Name').fill('laptop')
    await dialog.getByLabel('Public key').fill('not a key')
    await dialog.getByRole('button', { name: 'Import' }).click()
    await expect(dialog.getByLabel('Public key')).toHaveAttribute('aria-invalid', 'true')
    await expect(dialog.getByLabel('Name')).toHaveValue('laptop')
    await dialog.getByLabel('Public key').fill(publicKey)
    await dialog.getByRole('button', { name: 'Import' }).click()
    await expect(row(page, 'laptop')).toBeVisible()
    await act(page, 'laptop', 'Delete')
    await confirmDelete(page)
    await expect(page.getByText('No key pairs yet')).toBeVisible()
  })

  const paths = [
    '/servers',
    '/servers/new',
    '/images',
    '/flavors',
    '/keypairs',
    '/activity',
    '/admin/hypervisors',
    '/admin/services',
    '/nowhere',
  ]
  for (const path of paths) {
    test(`${path} has no accessibility findings and fits 390 pixels`, async () => {
      await page.goto(`${cloud.url}${path}`)
      await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
      await expect(page.getByRole('progressbar', { name: /^Loading/ })).toHaveCount(0)
      // The walk over every page looks at the wide ones.
      await page.setViewportSize({ width: 390, height: 844 })
      await expectAccessible(page)
      const overflow = await page.evaluate(() => {
        const main = document.querySelector('main')
        return [document.documentElement, ...(main === null ? [] : [main])].map((element) => element.scrollWidth - element.clientWidth)
      })
      expect(overflow.every((pixels) => pixels <= 0)).toBe(true)
      await page.setViewportSize({ width: 1280, height: 900 })
    })
  }

  test('the appearance that was chosen lasts', async () => {
    const isDark = () => page.evaluate(() => document.documentElement.classList.contains('pf-v6-theme-dark'))
    await page.goto(`${cloud.url}/servers`)
    expect(await isDark()).toBe(false)
    await page.getByRole('button', { name: 'User menu of admin' }).click()
    await page.getByRole('menuitem', { name: 'Dark' }).click()
    expect(await isDark()).toBe(true)
    await page.reload()
    await expect(heading(page, 'Servers')).toBeVisible()
    expect(await isDark()).toBe(true)
  })

  test('signing out ends the session for good', async () => {
    await page.getByRole('button', { name: 'User menu of admin' }).click()
    await page.getByRole('menuitem', { name: 'Sign out' }).click()
    await expect(page.getByLabel('User name')).toBeVisible()
    await page.goto(`${cloud.url}/servers`)
    await expect(page.getByLabel('User name')).toBeVisible()
  })

  test('nothing failed in the browser, and nothing was blocked', () => {
    expect(complaints).toEqual([])
  })
})

test.describe('with access tokens that live 2 seconds', () => {
  let cloud: TestCloud
  test.beforeAll(async () => {
    cloud = await TestCloud.start({ options: 'identity:\n  access_token_seconds: 2\n' })
  })
  test.afterAll(async () => cloud?.purge())

  test('the streams go on without a gap', async ({ page, browser }) => {
    await signIn(page, cloud)
    await uploadImage(page, 'tiny disk')
    await openPage(page, 'Servers')
    const sockets: string[] = []
    page.on('websocket', (socket) => sockets.push(socket.url()))
    // The other session is a separate login with tokens of its own, which renew as well.
    const other = await (await browser.newContext()).newPage()
    await signIn(other, cloud)
    for (const name of ['one', 'two', 'three']) {
      await launch(other, { name, image: 'tiny disk', flavor: 'm1.nano' })
      await expect(serverStatus(other, 'Active')).toBeVisible()
      await expect(row(page, name).getByText('Active')).toBeVisible()
      // The next change comes over a new socket, with a new token.
      const before = sockets.length
      await expect.poll(() => sockets.length).toBeGreaterThan(before)
      await other.getByRole('button', { name: 'Stop', exact: true }).click()
      await expect(row(page, name).getByText('Shutoff')).toBeVisible()
    }
    await expect(page.getByRole('status').getByText('Reconnecting')).toHaveCount(0)
    await other.context().close()
  })
})
