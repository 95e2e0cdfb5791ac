// Runs before the first paint, so that a dark page never flashes white.
;(() => {
  let choice = 'system'
  try {
    choice = localStorage.getItem('kilonova.theme') ?? 'system'
  } catch {}
  const dark = choice === 'dark' || (choice === 'system' && matchMedia('(prefers-color-scheme: dark)').matches)
  document.documentElement.classList.toggle('pf-v6-theme-dark', dark)
})()
