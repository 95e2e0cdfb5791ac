/** Ways through a page that need no knowledge of it: by Tab, and by clicking everything. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, type Page } from '@playwright/test'

/** The paths of the dashboard as its router knows them. */
export function routePatterns(): string[] {
  const source = readFileSync(join(import.meta.dirname, '../../packages/web/src/routes.tsx'), 'utf8')
  return [...source.matchAll(/path: '([^']+)'/g)].flatMap(([, path = '']) =>
    path === '/' || path === '*' ? [] : [path.replace(/^(?!\/)/, '/')],
  )
}

export async function openSettled(page: Page, url: string): Promise<void> {
  await page.goto(url)
  await expect(page.getByRole('heading', { level: 1 }), url).toBeVisible()
  await expect(page.getByRole('progressbar', { name: /^Loading/ })).toHaveCount(0)
}

interface Walk {
  missed: string[]
  unseen: string[]
  trapped: boolean
}

/** Goes through the page by Tab until it comes round: what is never reached, what shows no focus, whether there is no way on. */
export async function walkByTab(page: Page): Promise<Walk> {
  await page.evaluate(() => {
    const isShown = (element: Element): boolean =>
      element.checkVisibility({ visibilityProperty: true }) && element.closest('[inert], [aria-hidden="true"]') === null
    // Of radio buttons with one name, Tab reaches the chosen one only; of tabs and menus, the current one.
    const isReachable = (element: HTMLElement): boolean =>
      element.tabIndex >= 0 &&
      !element.matches(':disabled, [role="tab"][aria-selected="false"]') &&
      !(element instanceof HTMLInputElement && element.type === 'radio')
    const all = [...document.querySelectorAll<HTMLElement>('a[href], button, input, select, textarea, summary, [tabindex]')]
    let number = 0
    for (const element of all) if (isShown(element) && isReachable(element)) element.dataset.walk = String(number++)
    const looks = (element: Element): string =>
      [element, element.parentElement, element.parentElement?.parentElement]
        .flatMap((one) =>
          one == null
            ? []
            : [null, '::before', '::after'].map((part) => {
                const style = getComputedStyle(one, part)
                return [
                  style.outlineStyle,
                  style.outlineWidth,
                  style.boxShadow,
                  style.borderColor,
                  style.borderWidth,
                  style.backgroundColor,
                  style.textDecorationLine,
                ].join()
              }),
        )
        .join('|')
    const before = new Map([...document.querySelectorAll<HTMLElement>('[data-walk]')].map((element) => [element, looks(element)]))
    const partsOfAField = 8
    let latest: HTMLElement | null = null
    let repeats = 0
    Object.assign(window, {
      walkSeen: new Set<HTMLElement>(),
      walkUnseen: new Set<HTMLElement>(),
      walkStep: (): string | null => {
        const { walkSeen, walkUnseen } = window as unknown as { walkSeen: Set<HTMLElement>; walkUnseen: Set<HTMLElement> }
        const at = document.activeElement
        if (!(at instanceof HTMLElement) || at === document.body) return null
        // The parts of a date are steps within one field.
        if (at === latest) return ++repeats > partsOfAField ? null : ''
        latest = at
        repeats = 0
        if (walkSeen.has(at)) return null
        walkSeen.add(at)
        if (before.get(at) === looks(at)) walkUnseen.add(at)
        return at.outerHTML.slice(0, 120)
      },
    })
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur()
  })
  const count = await page.locator('[data-walk]').count()
  let steps = 0
  for (; steps < 3 * count + 20; steps++) {
    await page.keyboard.press('Tab')
    const at = await page.evaluate(() => (window as unknown as { walkStep: () => string | null }).walkStep())
    if (at === null) break
  }
  return page.evaluate(() => {
    const { walkSeen, walkUnseen } = window as unknown as { walkSeen: Set<HTMLElement>; walkUnseen: Set<HTMLElement> }
    const missed = [...document.querySelectorAll<HTMLElement>('[data-walk]')].filter((element) => !walkSeen.has(element))
    const short = (element: Element): string => element.outerHTML.slice(0, 160)
    const here = document.activeElement
    return {
      missed: missed.map(short),
      unseen: [...walkUnseen].map(short),
      trapped: missed.length > 0 && here !== null && here !== document.body,
    }
  })
}

/** Not clicked: it ends the session that the others need. */
const spared = /^(Sign out|Reload)$/

/** What can be clicked on the page, each under a name that stays the same; of the rows of a table only those of the first. */
const clickables = (page: Page, within: string): Promise<string[]> =>
  page.evaluate((scope) => {
    const names: string[] = []
    for (const element of document.querySelectorAll<HTMLElement>(`:is(${scope}) :is(button, a[href], [role="tab"])`)) {
      const row = element.closest('tbody tr')
      if (row?.matches(':not(:first-child)')) continue
      if (!element.checkVisibility({ visibilityProperty: true }) || element.matches(':disabled')) continue
      const name = `${element.tagName} ${element.getAttribute('aria-label') ?? element.textContent?.trim() ?? ''}`
      if (!names.includes(name)) {
        names.push(name)
        element.dataset.click = name
      }
    }
    return names
  }, within)

async function clickNamed(page: Page, within: string, name: string): Promise<boolean> {
  const names = await clickables(page, within)
  if (!names.includes(name)) return false
  // Away from what is under the pointer, whose tooltip may lie over what is next.
  await page.mouse.move(0, 0)
  await page
    .locator(`[data-click="${quoted(name)}"]`)
    .first()
    .click({ timeout: 5000 })
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))))
  return true
}

const quoted = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')

/** Back to the page as it was: dialogs and menus closed, the address the same. */
async function restore(page: Page, url: string): Promise<void> {
  await page.evaluate(() => (document.fullscreenElement === null ? undefined : document.exitFullscreen()))
  const dialog = page.getByRole('dialog')
  for (let tries = 0; tries < 3 && (await dialog.count()) > 0; tries++) await page.keyboard.press('Escape')
  const isMenuOpen = (await page.locator('[role="menu"], [role="listbox"]').count()) > 0
  if (page.url() !== url || isMenuOpen || (await dialog.count()) > 0) await openSettled(page, url)
}

/** Clicks everything on the page, and everything in the menus that opens; returns how much that was. */
export async function clickEverything(page: Page, url: string, within = 'main'): Promise<number> {
  let clicked = 0
  await openSettled(page, url)
  for (const name of await clickables(page, within)) {
    if (spared.test(name.replace(/^\w+ /, ''))) continue
    if (!(await clickNamed(page, within, name))) continue
    clicked++
    const items = page.locator('[role="menuitem"], [role="option"]')
    const count = await items.count()
    for (let index = 0; index < count; index++) {
      if ((await items.count()) <= index) {
        await restore(page, url)
        if (!(await clickNamed(page, within, name))) break
        if ((await items.count()) <= index) break
      }
      const item = items.nth(index)
      const text = ((await item.textContent()) ?? '').trim()
      if (spared.test(text) || (await item.getAttribute('aria-disabled')) === 'true') continue
      await item.click({ timeout: 5000 })
      clicked++
      await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))))
    }
    await restore(page, url)
  }
  return clicked
}
