/** Services and hypervisors in a real browser: taking a host out of use, declaring it down, forgetting it, and what runs on it. */
import { expect, type Locator, type Page, test } from '@playwright/test'
import { TestCloud } from './cloud.js'
import {
  act,
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

test.describe('services and hypervisors', () => {
  test.describe.configure({ mode: 'serial' })
  let cloud: TestCloud
  let page: Page
  let complaints: string[]

  test.beforeAll(async ({ browser }) => {
    // A host that is forgotten stays away: its agent has nothing to say for an hour.
    cloud = await TestCloud.start({
      options: 'DEFAULT:\n  report_interval: 3600\n  service_down_time: 7200\nfake:\n  prepare_ms: 0\n  spawn_ms: 0\n',
    })
    page = await (await browser.newContext()).newPage()
    complaints = watchComplaints(page)
    await signIn(page, cloud)
  })
  test.afterAll(async () => {
    await page?.context().close()
    await cloud?.purge()
  })

  const menuOf = async (host: string): Promise<Locator> => {
    await page.getByRole('button', { name: `Actions for ${host}` }).click()
    return page.getByRole('menu')
  }

  test('a host with a server shows it, and what is used of it', async () => {
    await uploadImage(page, 'image')
    await openPage(page, 'Services')
    for (const host of ['fake-002', 'fake-003']) {
      await act(page, host, 'Disable')
      const dialog = await openDialog(page)
      await dialog.getByRole('button', { name: 'Disable' }).click()
      await expect(row(page, host).getByText('Disabled', { exact: true })).toBeVisible()
    }
    await launch(page, { name: 'web', image: 'image', flavor: 'm1.tiny' })
    await expect(serverStatus(page, 'Active')).toBeVisible()
    await openPage(page, 'Hypervisors')
    await expect(row(page, 'fake-001').getByRole('progressbar', { name: 'vCPUs of fake-001' })).toHaveAttribute(
      'aria-valuetext',
      /^1 of \d+$/,
    )
    await expect(row(page, 'fake-002').getByRole('progressbar', { name: 'vCPUs of fake-002' })).toHaveAttribute(
      'aria-valuetext',
      /^0 of \d+$/,
    )
    await page.getByLabel('Search hypervisors by name').fill('nothing like it')
    await expect(page.getByText('No hypervisors match')).toBeVisible()
    await page.getByRole('button', { name: 'Clear filters' }).click()
    await page.getByRole('link', { name: 'fake-001' }).click()
    await expect(heading(page, 'fake-001')).toBeVisible()
    await expect(page.getByRole('grid', { name: 'Use by project' }).getByRole('row').filter({ hasText: 'admin' })).toContainText('512 MiB')
    const servers = page.getByRole('grid', { name: 'Servers' })
    await expect(servers.getByRole('link', { name: 'web' })).toBeVisible()
    await expect(servers.getByText('m1.tiny')).toBeVisible()
    await expectAccessible(page)
    await page.goto(`${cloud.url}/admin/hypervisors/nothing`)
    await expect(page.getByText('There is no such hypervisor')).toBeVisible()
  })

  test('a host is disabled with a reason, and enabled', async () => {
    await openPage(page, 'Services')
    await act(page, 'fake-002', 'Enable')
    await expect(page.getByText('fake-002 gets new servers again.')).toBeVisible()
    await act(page, 'fake-002', 'Disable')
    const dialog = await openDialog(page)
    await expectAccessible(page)
    const reason = dialog.getByLabel('Reason')
    await reason.fill('r'.repeat(256))
    await reason.press('Enter')
    await expect(reason).toBeFocused()
    await expect(reason).toHaveAccessibleDescription(/A reason may have at most 255 characters/)
    await reason.fill('broken fan')
    await reason.press('Enter')
    await expect(dialog).toBeHidden()
    await expect(row(page, 'fake-002').getByText('broken fan')).toBeVisible()
    await page.getByLabel('Status', { exact: true }).selectOption('Disabled')
    await expect(row(page, 'fake-001')).toBeHidden()
    await expect(row(page, 'fake-002')).toBeVisible()
    await expectAccessible(page)
    await page.reload()
    await expect(row(page, 'fake-002').getByText('broken fan')).toBeVisible()
    await expect(row(page, 'fake-001')).toBeHidden()
    await page.getByLabel('Status', { exact: true }).selectOption('Enabled and disabled')
    await expect(row(page, 'fake-001')).toBeVisible()
  })

  test('what cannot be deleted says why', async () => {
    let menu = await menuOf('fake-001')
    const remove = menu.getByRole('menuitem', { name: 'Delete' })
    await expect(remove).toHaveAttribute('aria-disabled', 'true')
    await expect(remove).toContainText('It still has 1 server.')
    await page.keyboard.press('Escape')
    menu = await menuOf('fake-003')
    await expect(menu.getByRole('menuitem', { name: 'Delete' })).toContainText('Stop the agent first')
    await page.keyboard.press('Escape')
  })

  test('a host is declared down, and that is withdrawn', async () => {
    await act(page, 'fake-003', 'Declare down')
    const dialog = await openDialog(page)
    await dialog.getByRole('button', { name: 'Declare down' }).click()
    await expect(dialog).toBeHidden()
    const host = row(page, 'fake-003')
    await expect(host.getByText('Down', { exact: true })).toBeVisible()
    await expect(host.getByText('Declared down by an administrator')).toBeVisible()
    await act(page, 'fake-003', 'Withdraw “down”')
    await expect(host.getByText('Up', { exact: true })).toBeVisible()
  })

  test('a host that is down is deleted, and gone from both lists', async () => {
    await act(page, 'fake-003', 'Declare down')
    await (await openDialog(page)).getByRole('button', { name: 'Declare down' }).click()
    await expect(row(page, 'fake-003').getByText('Down', { exact: true })).toBeVisible()
    await act(page, 'fake-003', 'Delete')
    const dialog = await openDialog(page)
    await expectAccessible(page)
    await dialog.getByRole('button', { name: 'Delete' }).click()
    await expect(dialog).toBeHidden()
    await expect(page.getByText('The service on fake-003 is deleted.')).toBeVisible()
    await expect(row(page, 'fake-003')).toBeHidden()
    await openPage(page, 'Hypervisors')
    await expect(row(page, 'fake-002')).toBeVisible()
    await expect(row(page, 'fake-003')).toBeHidden()
  })

  test('nothing failed on the way', () => {
    expect(complaints).toEqual([])
  })
})
