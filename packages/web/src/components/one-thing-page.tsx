/** The frame of a page about one thing: the way back to the list, and what is shown while it loads, fails or does not exist. */
import { Breadcrumb, BreadcrumbItem, PageSection } from '@patternfly/react-core'
import type { ReactNode } from 'react'
import { Link } from 'react-router'
import { PageTitle } from './page-title.js'
import { ErrorNotice, Loading, Nothing } from './states.js'

interface WayBackProps {
  label: string
  listName: string
  listPath: string
  name: string
}

export function WayBack({ label, listName, listPath, name }: WayBackProps) {
  return (
    <PageSection hasBodyWrapper={false} type="breadcrumb">
      <Breadcrumb aria-label={label}>
        <BreadcrumbItem>
          <Link to={listPath}>{listName}</Link>
        </BreadcrumbItem>
        <BreadcrumbItem isActive className="kn-break">
          {name}
        </BreadcrumbItem>
      </Breadcrumb>
    </PageSection>
  )
}

interface NotYetProps {
  /** In the words of the noun. */
  words: { one: string; whatOne: string; oneNotLoaded: string; gone: string; goneTitle: string; goneHint: string; all: string }
  listPath: string
  /** undefined: nothing has come yet; null: it does not exist. */
  thing: null | undefined
  error: unknown
  retry: () => void
}

export function NotYet({ words, listPath, thing, error, retry }: NotYetProps): ReactNode {
  if (thing === null) {
    return (
      <>
        <PageTitle title={words.gone} />
        <PageSection hasBodyWrapper={false} aria-label={words.gone}>
          <Nothing title={words.goneTitle} action={<Link to={listPath}>{words.all}</Link>}>
            {words.goneHint}
          </Nothing>
        </PageSection>
      </>
    )
  }
  if (error === undefined) return <Loading what={words.whatOne} />
  return (
    <>
      <PageTitle title={words.one} />
      <PageSection hasBodyWrapper={false} aria-label={words.one}>
        <ErrorNotice what={words.oneNotLoaded} error={error} retry={retry} />
      </PageSection>
    </>
  )
}
