/** The dashboard as its users find their way in it: by roles and labels only. */
import AxeBuilder from '@axe-core/playwright'
import { expect, type Locator, type Page } from '@playwright/test'
import type { TestCloud } from './cloud.js'

export type PageName = 'Servers' | 'Images' | 'Flavors' | 'Key pairs' | 'Activity' | 'Hypervisors' | 'Services'

export const heading = (page: Page, name: string) => page.getByRole('heading', { level: 1, name, exact: true })
export const serverStatus = (page: Page, text: string) => page.getByRole('status', { name: 'Server status' }).getByText(text)
export const row = (page: Page, name: string) => page.getByRole('row').filter({ hasText: name })

/** As the administrator, unless told otherwise. */
export async function signIn(
  page: Page,
  cloud: Pick<TestCloud, 'url' | 'password'>,
  path = '/',
  login = { username: 'admin', password: cloud.password },
): Promise<void> {
  await page.goto(`${cloud.url}${path}`)
  await page.getByLabel('User name').fill(login.username)
  await page.getByLabel('Password').fill(login.password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await expect(page.getByRole('navigation', { name: 'Main' })).toBeAttached()
}

export async function openPage(page: Page, name: PageName): Promise<void> {
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name }).click()
  await expect(heading(page, name)).toBeVisible()
}

/** Chooses from the menu of a row. */
export async function act(page: Page, target: string, action: string): Promise<void> {
  await page.getByRole('button', { name: `Actions for ${target}` }).click()
  await page.getByRole('menuitem', { name: action }).click()
}

/** The open dialog, once the focus has come to it: nobody types before that. */
export async function openDialog(page: Page): Promise<Locator> {
  const dialog = page.getByRole('dialog')
  await expect(dialog.locator(':focus')).toBeAttached()
  return dialog
}

export async function confirmDelete(page: Page): Promise<void> {
  const dialog = await openDialog(page)
  await dialog.getByRole('button', { name: 'Delete' }).click()
  await expect(dialog).toBeHidden()
}

export async function uploadImage(page: Page, name: string): Promise<void> {
  await openPage(page, 'Images')
  await page.getByRole('button', { name: 'Create image' }).click()
  const dialog = await openDialog(page)
  await dialog
    .getByLabel('File')
    .setInputFiles({ name: 'disk.raw', mimeType: 'application/octet-stream', buffer: Buffer.alloc(65_536, 'kilonova') })
  await dialog.getByLabel('Name').fill(name)
  await dialog.getByRole('button', { name: 'Create and upload' }).click()
  await expect(dialog).toBeHidden()
  await expect(row(page, name).getByText('Active', { exact: true })).toBeVisible()
}

export async function launch(page: Page, options: { name: string; image: string; flavor: string; count?: number }): Promise<void> {
  await openPage(page, 'Servers')
  await page.getByRole('link', { name: 'Launch server' }).first().click()
  await expect(heading(page, 'Launch server')).toBeVisible()
  await page.getByRole('textbox', { name: 'Name', exact: true }).fill(options.name)
  if (options.count !== undefined) await page.getByLabel('How many').fill(String(options.count))
  await page.getByRole('radio', { name: options.image }).check()
  await page.getByRole('radio', { name: options.flavor }).check()
  await page.getByRole('button', { name: 'Launch', exact: true }).click()
}

/** No accessibility findings, in light and in dark. */
export async function expectAccessible(page: Page): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    await expect(page.locator('html')).toHaveClass(colorScheme === 'dark' ? /pf-v6-theme-dark/ : /^(?!.*pf-v6-theme-dark)/)
    // Colours that are still on their way from one theme to the other are neither.
    await page.evaluate(() =>
      Promise.allSettled(document.getAnimations().flatMap((animation) => (animation instanceof CSSTransition ? [animation.finished] : []))),
    )
    const { violations } = await new AxeBuilder({ page }).analyze()
    expect(violations.map(({ id, nodes }) => `${colorScheme} ${id}: ${nodes.map((node) => node.html).join(' ')}`)).toEqual([])
  }
  await page.emulateMedia({ colorScheme: 'light' })
}

/** Collects what the browser complains about: scripts that fail, and what the content security policy blocks. */
export function watchComplaints(page: Page): string[] {
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text())
  })
  return complaints
}
