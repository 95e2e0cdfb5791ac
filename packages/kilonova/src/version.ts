/** Version of the software. */
export const version = '0.1.0'
