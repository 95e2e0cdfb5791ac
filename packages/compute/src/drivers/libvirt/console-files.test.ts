/** Offsets of the serial log stay what they are while its file is rotated, looked at or not. */
import { appendFileSync, existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { consoleLogFile, withConsole } from './console-files.js'

const kept = 1024 * 1024

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kilonova-console-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const write = (text: string): void => appendFileSync(consoleLogFile(folder), text)
/** As virtlogd does it, with two backups. */
const rotate = (): void => {
  const file = consoleLogFile(folder)
  rmSync(`${file}.1`, { force: true })
  if (existsSync(`${file}.0`)) renameSync(`${file}.0`, `${file}.1`)
  renameSync(file, `${file}.0`)
}
const read = (): { text: string; start: number; end: number } =>
  withConsole(folder, ({ startOffset: start, endOffset: end, read: part }) => ({ text: part(start, end).toString(), start, end }))

it('has nothing before the guest writes', () => {
  expect(read()).toEqual({ text: '', start: 0, end: 0 })
})

it('goes on over rotations that it has seen', () => {
  write('one ')
  expect(read()).toEqual({ text: 'one ', start: 0, end: 4 })
  write('two ')
  rotate()
  write('three')
  expect(read()).toEqual({ text: 'one two three', start: 0, end: 13 })
  rotate()
  write('!')
  expect(read()).toEqual({ text: 'one two three!', start: 0, end: 14 })
})

it('goes on over two rotations between two looks', () => {
  write('aaaa')
  read()
  write('bbbb')
  rotate()
  write('cccc')
  rotate()
  write('dd')
  expect(read()).toEqual({ text: 'aaaabbbbccccdd', start: 0, end: 14 })
})

it('counts what was rotated before the first look', () => {
  write('aaaa')
  rotate()
  write('bb')
  expect(read()).toEqual({ text: 'aaaabb', start: 0, end: 6 })
  write('c'.repeat(kept))
  expect(read()).toMatchObject({ start: 6, end: 6 + kept })
})

it('never goes back, even when more was rotated than is kept', () => {
  write('x'.repeat(kept))
  const before = read()
  for (const text of ['a', 'b', 'c', 'd']) {
    rotate()
    write(text.repeat(kept))
  }
  const after = read()
  expect(after.end).toBeGreaterThan(before.end)
  expect(after.text).toBe('d'.repeat(kept))
})

it('keeps a bounded part, and counts the rest as dropped', () => {
  write('y'.repeat(kept))
  rotate()
  write('zz')
  const found = read()
  expect(found).toMatchObject({ start: 2, end: kept + 2 })
  expect(found.text.endsWith('yzz')).toBe(true)
})

it('reads any part, over the bounds of files', () => {
  write('0123')
  rotate()
  write('4567')
  rotate()
  write('89')
  withConsole(folder, ({ read: part }) => {
    for (let from = 0; from <= 10; from++) {
      for (let to = from; to <= 10; to++) expect(part(from, to).toString()).toBe('0123456789'.slice(from, to))
    }
  })
})

it('looks again when a file is rotated between the look and the reading', () => {
  write('before')
  let looks = 0
  const text = withConsole(folder, ({ startOffset, endOffset, read: part }) => {
    if (looks++ === 0) {
      rotate()
      write(' after')
    }
    return part(startOffset, endOffset).toString()
  })
  expect(text).toBe('before after')
  expect(looks).toBe(2)
})
