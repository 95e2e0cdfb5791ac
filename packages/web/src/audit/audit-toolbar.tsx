/** Filters of the audit log. */
import { useQuery } from '@apollo/client/react'
import { TextInput, Toolbar, ToolbarContent, ToolbarFilter, ToolbarItem } from '@patternfly/react-core'
import { FilterSelect } from '../components/filter-select.js'
import { Pager } from '../components/pager.js'
import type { UrlFilters } from '../components/use-url-filters.js'
import { useMay, useViewer } from '../lib/session-context.js'
import { text } from '../text/text.js'
import { actionWords, offeredActions } from './actions.js'
import { auditUsersQuery } from './audit.documents.js'
import type { AuditEntry, AuditFilterName } from './filters.js'

const words = text.identity.audit

interface AuditToolbarProps {
  filters: UrlFilters<AuditFilterName>
  entries: readonly AuditEntry[]
  total: number
  endCursor: string | null
}

export function AuditToolbar({ filters, entries, total, endCursor }: AuditToolbarProps) {
  const { values, change, clear, paging } = filters
  const viewer = useViewer()
  const mayListUsers = useMay('identity:list_users')
  const { data } = useQuery(auditUsersQuery, { skip: !mayListUsers })
  const users = new Map((data?.users.nodes ?? [viewer.user]).map(({ id, name }) => [id, name]))
  for (const { user } of entries) if (user !== null) users.set(user.id, user.name)
  if (values.user !== '' && !users.has(values.user)) users.set(values.user, values.user)
  const actions = new Set([...offeredActions, ...entries.map(({ field }) => field), ...(values.action === '' ? [] : [values.action])])
  const projectName = entries.find(({ project }) => project?.id === values.project)?.project?.name ?? values.project
  // Chosen on the page, or by a link to it.
  const chosen = (name: 'project' | 'object' | 'request', category: string, shown: string) => (
    <ToolbarFilter categoryName={category} labels={values[name] === '' ? [] : [shown]} deleteLabel={() => change({ [name]: '' })}>
      {null}
    </ToolbarFilter>
  )
  return (
    <Toolbar inset={{ default: 'insetNone' }} clearAllFilters={clear} clearFiltersButtonText={words.clear}>
      <ToolbarContent>
        <ToolbarItem>
          <FilterSelect
            label={words.who}
            any={words.anybody}
            value={values.user}
            options={[...users].map(([value, label]) => ({ value, label }))}
            onChange={(user) => change({ user })}
          />
        </ToolbarItem>
        <ToolbarItem>
          <FilterSelect
            label={words.action}
            any={words.anyAction}
            value={values.action}
            options={[...actions].map((value) => ({ value, label: actionWords(value) })).toSorted((a, b) => a.label.localeCompare(b.label))}
            onChange={(action) => change({ action })}
          />
        </ToolbarItem>
        <ToolbarItem>
          <FilterSelect
            label={words.outcome}
            any={words.anyOutcome}
            value={values.outcome}
            options={(['SUCCESS', 'DENIED', 'ERROR'] as const).map((one) => ({ value: one.toLowerCase(), label: words.outcomes[one] }))}
            onChange={(outcome) => change({ outcome })}
          />
        </ToolbarItem>
        {(['since', 'until'] as const).map((name) => (
          <ToolbarItem key={name}>
            <label className="kn-inline-label" htmlFor={`audit-${name}`}>
              <span className="kn-small">{words[name]}</span>
              <TextInput
                id={`audit-${name}`}
                type="datetime-local"
                value={values[name]}
                onChange={(_event, value) => change({ [name]: value }, 'typing')}
              />
            </label>
          </ToolbarItem>
        ))}
        {chosen('project', words.project, projectName)}
        {chosen('object', words.object, values.object)}
        {chosen('request', words.request, values.request)}
        <ToolbarItem variant="pagination">
          <Pager what={words.what} paging={paging} total={total} endCursor={endCursor} />
        </ToolbarItem>
      </ToolbarContent>
    </Toolbar>
  )
}
