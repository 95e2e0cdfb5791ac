/** How much of a host is used, as a bar and in words. */
import { Progress, ProgressMeasureLocation } from '@patternfly/react-core'
import { formatMb } from '../lib/format.js'
import { text } from '../text/text.js'

const words = text.hosts.hypervisors
export type Amount = 'vcpus' | 'ramMb' | 'diskGb'
export const formats: Record<Amount, (value: number) => string> = { vcpus: String, ramMb: formatMb, diskGb: words.gigabytes }

export interface UsageRow {
  scope: string
  vcpus: number
  ramMb: number
  diskGb: number
}

export const usageRow = <R extends UsageRow>(usage: readonly R[] | null, scope: string): R | undefined =>
  usage?.find((row) => row.scope === scope)

export function HostUsageBar({ host, usage, amount }: { host: string; usage: readonly UsageRow[] | null; amount: Amount }) {
  const total = usageRow(usage, 'TOTAL')?.[amount]
  const used = usageRow(usage, 'USED_MAX')?.[amount]
  if (total === undefined || used === undefined) return <>{text.hosts.none}</>
  const format = formats[amount]
  // Hosts may promise more than they have.
  const percent = total === 0 ? 0 : Math.min(Math.round((used / total) * 100), 100)
  const inWords = words.used(format(used), format(total))
  return (
    <div className="kn-usage">
      <p className="kn-small">{inWords}</p>
      <Progress
        size="sm"
        value={percent}
        valueText={inWords}
        measureLocation={ProgressMeasureLocation.none}
        aria-label={words.barLabel(words.amounts[amount], host)}
      />
    </div>
  )
}
