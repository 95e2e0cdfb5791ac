/** Use of one limit, as a bar and in words; colour is never the only sign. */
import { Progress, ProgressMeasureLocation, ProgressVariant } from '@patternfly/react-core'
import type { QuotaResource } from '../generated/graphql.js'
import { text } from '../text/text.js'
import { resourceWords } from './resources.js'

const { bar } = text.quotas

interface QuotaBarProps {
  item: { resource: QuotaResource; limit: number; inUse: number }
}

export function QuotaBar({ item: { resource, limit, inUse } }: QuotaBarProps) {
  const { label, format } = resourceWords[resource]
  if (limit < 0) return <p className="kn-small">{bar.unlimited(format(inUse))}</p>
  const isFull = inUse >= limit
  const left = isFull ? (inUse > limit ? bar.above(format(inUse - limit)) : bar.noneLeft) : bar.left(format(limit - inUse))
  const words = bar.of(format(inUse), format(limit), left)
  const percent = limit === 0 ? 100 : Math.min(Math.round((inUse / limit) * 100), 100)
  return (
    <>
      <p className="kn-small">{words}</p>
      <Progress
        size="sm"
        value={percent}
        valueText={words}
        measureLocation={ProgressMeasureLocation.none}
        variant={isFull ? ProgressVariant.danger : percent >= 80 ? ProgressVariant.warning : undefined}
        aria-label={bar.label(label)}
      />
    </>
  )
}
