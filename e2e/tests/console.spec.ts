/** Consoles that survive: what was written before is there, and viewers come back by themselves after whatever passes. */
import { expect, type Page, test } from '@playwright/test'
import { TestCloud } from './cloud.js'
import {
  act,
  confirmDelete,
  expectAccessible,
  heading,
  launch,
  openPage,
  row,
  serverStatus,
  signIn,
  uploadImage,
  watchComplaints,
} from './dashboard.js'

const terminal = (page: Page) => page.locator('.xterm-accessibility-tree')
const connection = (page: Page) => page.getByRole('status', { name: 'Connection' })
const log = (page: Page) => page.getByRole('log')
const count = (text: string | null, part: string): number => (text ?? '').split(part).length - 1

async function type(page: Page, line: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Terminal input' }).focus()
  await page.keyboard.type(`${line}\n`)
}

test.describe('consoles', () => {
  test.describe.configure({ mode: 'serial' })
  let cloud: TestCloud
  let serial: Page
  let screen: Page
  let watcher: Page
  let complaints: string[]

  test.beforeAll(async ({ browser }) => {
    cloud = await TestCloud.start()
    const context = await browser.newContext()
    serial = await context.newPage()
    complaints = watchComplaints(serial)
    await signIn(serial, cloud)
    await uploadImage(serial, 'tiny disk')
    await launch(serial, { name: 'survivor', image: 'tiny disk', flavor: 'm1.nano' })
    await expect(heading(serial, 'survivor')).toBeVisible()
    await expect(serverStatus(serial, 'Active')).toBeVisible()
    screen = await context.newPage()
    watcher = await context.newPage()
  })
  test.afterAll(async () => {
    await serial?.context().close()
    await cloud?.purge()
  })

  /** Fails when the picture is blank. */
  const seesPicture = async (): Promise<void> => {
    const canvas = screen.locator('canvas')
    await expect(canvas).toBeVisible()
    const colours = () =>
      canvas.evaluate((element) => {
        const picture = element as HTMLCanvasElement
        const pixels = picture.getContext('2d')?.getImageData(0, 0, picture.width, picture.height).data ?? []
        const seen = new Set<number>()
        for (let at = 0; at < pixels.length; at += 4)
          seen.add(((pixels[at] ?? 0) << 16) | ((pixels[at + 1] ?? 0) << 8) | (pixels[at + 2] ?? 0))
        return seen.size
      })
    await expect.poll(colours).toBeGreaterThan(1)
  }

  test('the serial tab shows what the guest wrote before it was opened, once', async () => {
    await serial.getByRole('tab', { name: 'Serial' }).click()
    await expect(terminal(serial)).toContainText('Kilonova simulated guest survivor')
    await expect(terminal(serial)).toContainText('survivor login:')
    await expect(connection(serial)).toHaveText('Connected.')
    await type(serial, 'echo typed once')
    await expect(terminal(serial)).toContainText('typed once')
    expect(count(await terminal(serial).textContent(), 'simulated guest')).toBe(1)
    await expectAccessible(serial)
  })

  test('the log tab follows what is written, and stops when told', async () => {
    await watcher.goto(`${serial.url().replace(/\/serial$/, '')}/log`)
    await expect(log(watcher)).toContainText('typed once')
    await type(serial, 'echo seen live')
    await expect(log(watcher)).toContainText('\nseen live')
    await expectAccessible(watcher)
    const follow = watcher.getByRole('switch', { name: 'Follow' })
    await follow.press('Space')
    await expect(follow).not.toBeChecked()
    await type(serial, 'echo while nobody follows')
    await expect(terminal(serial)).toContainText('while nobody follows')
    await expect(log(watcher)).not.toContainText('while nobody follows')
    await follow.press('Space')
    await expect(log(watcher)).toContainText('\nwhile nobody follows')
    const text = await log(watcher).textContent()
    for (const line of ['\ntyped once', '\nseen live', '\nwhile nobody follows']) expect(count(text, line)).toBe(1)
  })

  test('a hard reboot: serial, screen and log come back by themselves, and nothing comes twice', async () => {
    await screen.goto(serial.url().replace(/serial$/, 'console'))
    await seesPicture()
    await type(serial, 'echo before the reboot')
    await expect(terminal(serial)).toContainText('before the reboot')
    const sockets = { serial: 0, screen: 0 }
    serial.on('websocket', (socket) => {
      if (socket.url().includes('/console/ws/')) sockets.serial++
    })
    screen.on('websocket', (socket) => {
      if (socket.url().includes('/console/ws/')) sockets.screen++
    })
    await screen.locator('canvas').click()
    await act(watcher, 'survivor', 'Hard reboot')
    await expect(log(watcher)).toContainText('] rebooted')
    await expect(terminal(serial)).toContainText('] rebooted')
    await expect(connection(serial)).toHaveText('Connected.')
    await expect(connection(screen)).toHaveText('Connected.')
    expect(sockets.serial).toBeGreaterThan(0)
    expect(sockets.screen).toBeGreaterThan(0)
    await seesPicture()
    await type(serial, 'echo after the reboot')
    await expect(terminal(serial)).toContainText('after the reboot')
    const text = await terminal(serial).textContent()
    for (const line of ['simulated guest', '] rebooted']) expect(count(text, line)).toBe(1)
  })

  test('a server that is stopped is waited for, and its consoles open again when it is started', async () => {
    await serial.getByRole('button', { name: 'Stop', exact: true }).click()
    for (const page of [serial, screen]) {
      await expect(connection(page)).toContainText('The console comes back when the server runs again.')
    }
    await expect(terminal(serial)).toContainText('after the reboot')
    await expectAccessible(serial)
    await expectAccessible(screen)
    await serial.getByRole('button', { name: 'Start', exact: true }).click()
    await expect(terminal(serial)).toContainText('powered on')
    await expect(connection(screen)).toHaveText('Connected.')
    await seesPicture()
  })

  test('without a network it says so and tries again, without taking the focus, and comes back with the network', async () => {
    await serial.context().setOffline(true)
    // The tests' own network is "offline" to the browser from the start, so that it does not tell the page by itself.
    for (const page of [serial, screen]) await page.evaluate(() => window.dispatchEvent(new Event('offline')))
    for (const page of [serial, screen]) await expect(connection(page)).toContainText('Reconnecting…')
    await expectAccessible(serial)
    const tab = serial.getByRole('tab', { name: 'Serial' })
    await tab.focus()
    await serial.context().setOffline(false)
    for (const page of [serial, screen]) await expect(connection(page)).toHaveText('Connected.')
    await expect(tab).toBeFocused()
    await type(serial, 'echo after the outage')
    await expect(terminal(serial)).toContainText('after the outage')
    expect(count(await terminal(serial).textContent(), '] rebooted')).toBe(1)
  })

  test('they come back after the cloud was killed and started anew', async () => {
    await cloud.kill('SIGKILL')
    for (const page of [serial, screen]) await expect(connection(page)).toContainText('Reconnecting…')
    await cloud.up()
    for (const page of [serial, screen]) await expect(connection(page)).toHaveText('Connected.', { timeout: 30_000 })
    await type(serial, 'echo after the crash')
    await expect(terminal(serial)).toContainText('after the crash')
    await expect(log(watcher)).toContainText('\nafter the crash', { timeout: 30_000 })
    await seesPicture()
  })

  test('after the server is deleted nothing is tried again', async () => {
    const asked: string[] = []
    serial.on('request', (request) => {
      if (request.postData()?.includes('CreateConsole') === true) asked.push(request.url())
    })
    await openPage(watcher, 'Servers')
    await act(watcher, 'survivor', 'Delete')
    await confirmDelete(watcher)
    await expect(row(watcher, 'survivor')).toHaveCount(0)
    for (const page of [serial, screen]) await expect(heading(page, 'Server not found')).toBeVisible()
    expect(asked).toEqual([])
  })

  test('nothing failed in the page but what the lost network and the killed cloud made fail', () => {
    expect(complaints.filter((text) => !/net::ERR_|WebSocket connection to|Failed to load resource/.test(text))).toEqual([])
  })
})
