/** The launch story of the dashboard with every role as a process of its own, some of them killed on the way. */
import { expect, type Page, test } from '@playwright/test'
import { CloudApart } from './apart.js'
import { act, confirmDelete, heading, launch, openPage, row, serverStatus, signIn, uploadImage } from './dashboard.js'

test.describe('roles apart', () => {
  test.describe.configure({ mode: 'serial' })
  let cloud: CloudApart
  let page: Page

  test.beforeAll(async ({ browser }) => {
    cloud = await CloudApart.start()
    page = await (await browser.newContext()).newPage()
  })
  test.afterAll(async () => {
    await page?.context().close()
    await cloud?.purge()
  })

  test('a server is launched, and becomes active without a reload', async () => {
    await signIn(page, cloud)
    await uploadImage(page, 'tiny disk')
    await launch(page, { name: 'apart', image: 'tiny disk', flavor: 'm1.nano' })
    await expect(heading(page, 'apart')).toBeVisible()
    await expect(serverStatus(page, 'Active')).toBeVisible()
  })

  test('its serial console and its screen are in the page', async () => {
    await page.getByRole('tab', { name: 'Serial' }).click()
    const terminal = page.locator('.xterm-accessibility-tree')
    await expect(terminal).toContainText('login:')
    await page.getByRole('textbox', { name: 'Terminal input' }).focus()
    await page.keyboard.type('echo over two processes\n')
    await expect(terminal).toContainText('over two processes')
    await page.getByRole('tab', { name: 'Console' }).click()
    await expect(page.locator('canvas')).toBeVisible()
  })

  test('the page goes on after the api, the conductor and the console proxy were killed', async () => {
    await page.getByRole('tab', { name: 'Serial' }).click()
    await expect(page.locator('.xterm-accessibility-tree')).toContainText('login:')
    for (const name of ['conductor', 'console-proxy', 'api']) await cloud.restart(name)
    await expect(page.getByRole('status', { name: 'Connection' })).toHaveText('Connected.', { timeout: 40_000 })
    await openPage(page, 'Servers')
    await act(page, 'apart', 'Stop')
    await expect(row(page, 'apart').getByText('Shutoff')).toBeVisible({ timeout: 40_000 })
  })

  test('it is deleted', async () => {
    await act(page, 'apart', 'Delete')
    await confirmDelete(page)
    await expect(row(page, 'apart')).toHaveCount(0)
  })
})
