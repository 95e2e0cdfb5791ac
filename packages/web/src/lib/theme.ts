/** Light or dark: as the system says until the user chooses. `public/theme.js` applies it before the first paint. */

export type ThemeChoice = 'system' | 'light' | 'dark'

const storageKey = 'kilonova.theme'
const prefersDark = matchMedia('(prefers-color-scheme: dark)')

export function readTheme(): ThemeChoice {
  try {
    const stored = localStorage.getItem(storageKey)
    return stored === 'light' || stored === 'dark' ? stored : 'system'
  } catch {
    return 'system'
  }
}

const apply = (): void => {
  const choice = readTheme()
  const dark = choice === 'dark' || (choice === 'system' && prefersDark.matches)
  document.documentElement.classList.toggle('pf-v6-theme-dark', dark)
}

export function chooseTheme(choice: ThemeChoice): void {
  try {
    if (choice === 'system') localStorage.removeItem(storageKey)
    else localStorage.setItem(storageKey, choice)
  } catch {
    // Without storage the choice lasts until the next page load.
    document.documentElement.classList.toggle('pf-v6-theme-dark', choice === 'dark')
    return
  }
  apply()
}

export function followSystemTheme(): void {
  prefersDark.addEventListener('change', apply)
  window.addEventListener('storage', apply)
  apply()
}
