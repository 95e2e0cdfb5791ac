/** The dashboard on real libvirt: a guest boots, its consoles work in the page, and it outlives the cloud. */
import { cpSync, existsSync, mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, type Page, test } from '@playwright/test'
import { TestCloud } from './cloud.js'
import { act, confirmDelete, heading, launch, openPage, row, serverStatus, signIn, watchComplaints } from './dashboard.js'

/** Where `tests/run.ts` leaves the image, as the network of the tests has no way to Debian's archive. */
const builtImages = join(process.env.KILONOVA_TEST_IMAGES ?? join(tmpdir(), 'kilonova-test-images'), 'tiny-image')
const image = 'Kilonova tiny Linux'

test.describe('real guest', () => {
  test.describe.configure({ mode: 'serial', timeout: 180_000 })
  let cloud: TestCloud
  let page: Page
  let complaints: string[]

  test.beforeAll(async ({ browser }) => {
    cloud = await TestCloud.start({
      driver: 'libvirt',
      before: (folder) => {
        if (!existsSync(builtImages)) return
        mkdirSync(join(folder, 'cache'), { recursive: true })
        cpSync(builtImages, join(folder, 'cache', 'tiny-image'), { recursive: true })
      },
    })
    page = await (await browser.newContext()).newPage()
    complaints = watchComplaints(page)
  })
  test.afterAll(async () => {
    await page?.context().close()
    await cloud?.purge()
  })

  const terminalText = () => page.locator('.xterm-accessibility-tree')
  const logText = () => page.getByRole('log')

  test('a server boots, and its log tells its name from the config drive', async () => {
    await signIn(page, cloud)
    await launch(page, { name: 'real-one', image, flavor: 'm1.nano' })
    await expect(heading(page, 'real-one')).toBeVisible()
    await expect(serverStatus(page, 'Active')).toBeVisible({ timeout: 60_000 })
    await page.getByRole('tab', { name: 'Log' }).click()
    await expect(logText()).toContainText('config drive found', { timeout: 90_000 })
    await expect(logText()).toContainText('real-one', { timeout: 90_000 })
  })

  test('its serial console takes commands and shows what they answer', async () => {
    await page.getByRole('tab', { name: 'Serial' }).click()
    // Written before anybody was connected.
    await expect(terminalText()).toContainText('ready: host real-one')
    await page.getByRole('textbox', { name: 'Terminal input' }).focus()
    await expect(async () => {
      await page.keyboard.type('echo $((6*7))-is-the-answer\n')
      await expect(terminalText()).toContainText('42-is-the-answer', { timeout: 5_000 })
    }).toPass({ timeout: 60_000 })
  })

  test('its serial console survives a hard reboot', async () => {
    await page.keyboard.type('clear\n')
    await expect(terminalText()).not.toContainText('ready: host real-one')
    await page.getByRole('button', { name: 'Actions for real-one' }).click()
    await page.getByRole('menuitem', { name: 'Hard reboot' }).click()
    await expect(terminalText()).toContainText('ready: host real-one', { timeout: 90_000 })
    await page.getByRole('textbox', { name: 'Terminal input' }).focus()
    await expect(async () => {
      await page.keyboard.type('echo $((6*7))-once-more\n')
      await expect(terminalText()).toContainText('42-once-more', { timeout: 5_000 })
    }).toPass({ timeout: 60_000 })
  })

  test('its screen is drawn in the page', async () => {
    await page.getByRole('tab', { name: 'Console' }).click()
    const canvas = page.locator('canvas')
    await expect(canvas).toBeVisible()
    const colours = () =>
      canvas.evaluate((element) => {
        const screen = element as HTMLCanvasElement
        const pixels = screen.getContext('2d')?.getImageData(0, 0, screen.width, screen.height).data ?? []
        const seen = new Set<number>()
        for (let at = 0; at < pixels.length; at += 4) {
          seen.add(((pixels[at] ?? 0) << 16) | ((pixels[at + 1] ?? 0) << 8) | (pixels[at + 2] ?? 0))
        }
        return seen.size
      })
    await expect.poll(colours, { timeout: 30_000 }).toBeGreaterThan(1)
  })

  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    test(`the guest keeps running and writing when the cloud's process group gets ${signal}, and is adopted afterwards`, async () => {
      await page.getByRole('tab', { name: 'Serial' }).click()
      await page.getByRole('textbox', { name: 'Terminal input' }).focus()
      const word = `ticking-${signal.toLowerCase()}`
      // A loop in the guest that says how far it is; it must go on while there is no cloud.
      await expect(async () => {
        await page.keyboard.type(`(n=0; while true; do n=$((n+1)); echo ${word}-$n; sleep 1; done) &\n`)
        await expect(terminalText()).toContainText(`${word}-2`, { timeout: 10_000 })
      }).toPass({ timeout: 60_000 })
      await page.goto('about:blank')
      await cloud.kill(signal)
      await cloud.up()
      await page.goto(cloud.url)
      await expect(row(page, 'real-one').getByText('Active')).toBeVisible({ timeout: 30_000 })
      await page.getByRole('link', { name: 'real-one' }).click()
      await page.getByRole('tab', { name: 'Log' }).click()
      // The log has every second of it: also of those when nothing of the cloud ran.
      const ticks = async () => {
        const text = (await logText().textContent()) ?? ''
        return [...text.matchAll(new RegExp(`${word}-(\\d+)`, 'g'))].map((match) => Number(match[1]))
      }
      await expect.poll(async () => Math.max(0, ...(await ticks()))).toBeGreaterThan(5)
      const seen = [...new Set(await ticks())].sort((a, b) => a - b)
      expect(seen).toEqual(seen.map((_, index) => (seen[0] ?? 0) + index))
    })
  }

  test('it is deleted from the list, and nothing complained', async () => {
    await openPage(page, 'Servers')
    await act(page, 'real-one', 'Delete')
    await confirmDelete(page)
    await expect(row(page, 'real-one')).toHaveCount(0)
    expect(complaints).toEqual([])
  })
})
