/** What an image is called, and where its page is. */
export const imageName = (image: { id: string; name: string | null }): string => image.name ?? image.id
export const imagePath = (id: string): string => `/images/${encodeURIComponent(id)}`
