/** Where a flavor's page is; ids may hold blanks. */
export const flavorPath = (id: string): string => `/flavors/${encodeURIComponent(id)}`
