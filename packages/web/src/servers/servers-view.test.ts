import { describe, expect, it } from 'vitest'
import { columnKeys } from './servers-columns.js'
import { filterOf, formatView, isFiltered, readView, type ServersView, savableView, usualView } from './servers-view.js'

const read = (query: string): ServersView => readView(new URLSearchParams(query))

const views: ServersView[] = [
  usualView,
  { ...usualView, search: 'web & more=1', statuses: ['ACTIVE', 'HARD_REBOOT'], locked: true, tag: 'blue/round' },
  { ...usualView, locked: false, sort: { key: 'NAME', direction: 'ASC' }, perPage: 1000, columns: [] },
  { ...usualView, sort: { key: 'UPDATED_AT', direction: 'DESC' }, columns: [...columnKeys], page: 3, after: 'abc+/=' },
]

describe('the view of the list of servers in the address', () => {
  it.each(views)('means the same when it is read back: %j', (view) => {
    expect(read(formatView(view).toString())).toEqual(view)
  })

  it('is empty for the usual view', () => {
    expect(formatView(usualView).toString()).toBe('')
  })

  it.each([
    'size=7&page=2&sort=-odd&columns=odd,&status=odd,,&locked=maybe',
    'size=1e3x&page=-1&after=abc',
    'page=2',
    'page=1.5&after=abc',
    'after=abc',
  ])('is as usual where it makes no sense: %s', (query) => {
    expect({ ...read(query), columns: usualView.columns }).toEqual(usualView)
  })

  it('names each status once and in any case', () => {
    expect(read('status=ACTIVE,active,shutoff').statuses).toEqual(['ACTIVE', 'SHUTOFF'])
  })

  it('keeps the columns in their order', () => {
    expect(read('columns=created,status').columns).toEqual(['status', 'created'])
  })

  it('is saved without the place in the list', () => {
    expect(savableView({ ...usualView, tag: 'blue', page: 4, after: 'abc' })).toBe('tag=blue')
  })

  it('asks the API for what is filtered, and for nothing else', () => {
    expect(filterOf(usualView)).toEqual({})
    expect(isFiltered(usualView)).toBe(false)
    expect(filterOf({ ...usualView, search: 'web', statuses: ['ERROR'], locked: false, tag: 'blue' })).toEqual({
      search: 'web',
      status: ['ERROR'],
      locked: false,
      tags: ['blue'],
    })
    for (const part of [{ search: 'web' }, { statuses: ['ERROR'] as const }, { locked: false }, { tag: 'blue' }])
      expect(isFiltered({ ...usualView, ...part })).toBe(true)
  })
})
