import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { writeArchive } from './cpio.js'

const archive = writeArchive([
  { kind: 'folder', path: 'dev' },
  { kind: 'device', path: 'dev/console', major: 5, minor: 1 },
  { kind: 'file', path: 'init', content: '#!/bin/sh\n', executable: true },
  { kind: 'file', path: 'odd', content: Buffer.from([1, 2, 3]) },
  { kind: 'link', path: 'sh', target: 'busybox' },
])

it('keeps everything at multiples of four bytes', () => {
  expect(archive.length % 4).toBe(0)
  expect(archive.toString('latin1', 0, 6)).toBe('070701')
})

describe.skipIf(!existsSync('/usr/bin/cpio'))('read by cpio', () => {
  const list = execFileSync('cpio', ['-itv', '--quiet', '--numeric-uid-gid'], { input: archive, encoding: 'utf8' }).trim().split('\n')

  it('has the entries with their kinds and permissions', () => {
    const seen = list.map((line) => [line.slice(0, 10), line.split(/\s+/).slice(8).join(' ')])
    expect(seen.map(([mode]) => mode)).toEqual(['drwxr-xr-x', 'crw-------', '-rwxr-xr-x', '-rw-r--r--', 'lrwxrwxrwx'])
    expect(list[1]).toMatch(/5,\s*1/)
    expect(list[4]).toMatch(/sh -> busybox$/)
    expect(list[3]).toMatch(/\s3\s/)
  })
})
