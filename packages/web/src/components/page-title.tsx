/** The heading of a page: names the document, and takes the focus after a navigation so that screen readers hear where they are. */
import { Flex, FlexItem, PageSection, Title } from '@patternfly/react-core'
import { type ReactNode, useEffect, useRef } from 'react'

let firstPage = true

export function useDocumentTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Kilonova`
  }, [title])
}

interface PageTitleProps {
  title: string
  /** Beside the heading: labels. */
  extra?: ReactNode
  actions?: ReactNode
  children?: ReactNode
}

export function PageTitle({ title, extra, actions, children }: PageTitleProps) {
  const heading = useRef<HTMLHeadingElement>(null)
  useDocumentTitle(title)
  useEffect(() => {
    // The first page of a visit leaves the focus where the browser puts it.
    if (firstPage) firstPage = false
    else heading.current?.focus({ preventScroll: true })
  }, [])
  return (
    <PageSection hasBodyWrapper={false} className="kn-page-title">
      <Flex
        justifyContent={{ default: 'justifyContentSpaceBetween' }}
        alignItems={{ default: 'alignItemsCenter' }}
        gap={{ default: 'gapMd' }}
      >
        <FlexItem className="kn-grow">
          <Flex alignItems={{ default: 'alignItemsCenter' }} gap={{ default: 'gapMd' }}>
            <Title headingLevel="h1" size="2xl" tabIndex={-1} ref={heading} className="kn-break">
              {title}
            </Title>
            {extra}
          </Flex>
        </FlexItem>
        {actions !== undefined && <FlexItem>{actions}</FlexItem>}
      </Flex>
      {children}
    </PageSection>
  )
}
