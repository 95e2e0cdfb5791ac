/** What the command palette offers for what was typed: pages, what can be done on the page in sight, and what the cloud finds. */
import { useQuery } from '@apollo/client/react'
import { useMemo } from 'react'
import { useNavigate } from 'react-router'
import { useCommandGroups } from '../lib/commands.js'
import { words as inWords } from '../lib/format.js'
import { useMay, useViewer } from '../lib/session-context.js'
import { useDebounced } from '../lib/use-debounced.js'
import { text } from '../text/text.js'
import { adminPages, openTo, otherPages, projectPages } from './pages.js'
import { paletteQuery } from './palette.documents.js'

export interface PaletteItem {
  key: string
  group: string
  label: string
  /** Beside the label: a state, or why it cannot be done. */
  note: string | null
  isDisabled: boolean
  run: () => void
}

const { groups } = text.shell.palette
const typingPauseMs = 150
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** Every word that was typed stands somewhere in the item. */
const matches = (typed: string, ...texts: string[]): boolean => {
  const all = texts.join(' ').toLowerCase()
  return typed
    .toLowerCase()
    .split(/\s+/)
    .every((word) => all.includes(word))
}

export function usePaletteItems(typed: string): { items: PaletteItem[]; searching: boolean; error: unknown } {
  const navigate = useNavigate()
  const { allowedRules } = useViewer()
  const pageGroups = useCommandGroups()
  const wanted = typed.trim()
  const search = useDebounced(wanted, typingPauseMs)
  const isId = uuid.test(search)
  const images = useMay('image:get_images')
  const servers = useMay('os_compute_api:servers:detail')
  const { data, loading, error } = useQuery(paletteQuery, {
    skip: search === '',
    variables: { search, id: search, isId: isId && images, servers, images, flavors: true },
    fetchPolicy: 'network-only',
  })

  const pages = useMemo(
    () =>
      openTo([...projectPages, ...otherPages, ...adminPages], allowedRules).map(
        ({ path, label }): PaletteItem => ({
          key: path,
          group: groups.pages,
          label,
          note: null,
          isDisabled: false,
          run: () => void navigate(path),
        }),
      ),
    [allowedRules, navigate],
  )
  const commands = pageGroups.flatMap(({ title, commands: offered }) =>
    offered.map(
      ({ label, run, disabledReason = null }): PaletteItem => ({
        key: `${title} ${label}`,
        group: title,
        label,
        note: disabledReason,
        isDisabled: disabledReason !== null,
        run,
      }),
    ),
  )
  const found = (group: string, id: string, label: string, note: string | null, path: string): PaletteItem => ({
    key: `${group} ${id}`,
    group,
    label,
    note,
    isDisabled: false,
    run: () => void navigate(path),
  })
  const foundImages = [...(data?.image == null ? [] : [data.image]), ...(data?.images?.nodes ?? [])]
  const results =
    wanted === '' || search !== wanted || data === undefined
      ? []
      : [
          ...(data.servers?.nodes ?? []).map(({ id, name, status }) =>
            found(groups.servers, id, name ?? id, inWords(status), `/servers/${id}`),
          ),
          ...foundImages.map(({ id, name }) => found(groups.images, id, name ?? id, null, `/images/${id}`)),
          ...(data.flavors?.nodes ?? []).map(({ id, name }) => found(groups.flavors, id, name, null, `/flavors/${encodeURIComponent(id)}`)),
        ]
  const items = [...commands, ...pages].filter((item) => wanted === '' || matches(wanted, item.group, item.label))
  return { items: [...items, ...results], searching: wanted !== '' && (loading || search !== wanted), error }
}
