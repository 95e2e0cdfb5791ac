/** Which kernel modules to load, and in which order: read from the list of dependencies that depmod writes. */

/** A module is called the same with `-` and `_`. */
const nameOf = (path: string): string => (path.split('/').at(-1) ?? '').replace(/\.ko(\.(xz|gz|zst))?$/, '').replaceAll('-', '_')

/**
 * Paths of the wanted modules and of all they need, each after what it needs. Modules that are built into the kernel are in `builtin`
 * and need no loading; a wanted module that is in neither is an error, because the guest would lack a device.
 */
export function loadOrder(wanted: readonly string[], modulesDep: string, modulesBuiltin: string): string[] {
  const needs = new Map<string, { path: string; needed: string[] }>()
  for (const line of modulesDep.split('\n')) {
    const [path, rest = ''] = line.split(':', 2)
    if (path) needs.set(nameOf(path), { path, needed: rest.split(' ').filter(Boolean).map(nameOf) })
  }
  const builtin = new Set(modulesBuiltin.split('\n').map(nameOf))
  const order = new Set<string>()
  const visit = (name: string): void => {
    const module = needs.get(name)
    if (module === undefined) {
      if (builtin.has(name)) return
      throw new Error(`The kernel package has no module ${name}.`)
    }
    if (order.has(module.path)) return
    for (const needed of module.needed) visit(needed)
    order.add(module.path)
  }
  for (const name of wanted) visit(name)
  return [...order]
}
