/** Partition tables: what the first sector of a disk looks like when it is a disk's first sector. */

/** True for a boot record, which is also how a GPT disk begins. Such bytes are a disk themselves, not a container of one. */
export const isPartitioned = (head: Buffer): boolean => head.length >= 512 && head.readUInt16LE(510) === 0xaa55
