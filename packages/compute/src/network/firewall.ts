/**
 * The rules that keep guests and host apart, and guests to their own names, as nftables tables named after the cloud; replacing them is
 * atomic, removing them removes everything.
 *
 * Order matters little elsewhere: in nftables a packet dropped by one table is dropped, whatever others say.
 */
import type { HostCommands } from './host-commands.js'
import type { HostBridge } from './network-record.js'
import { spoofRules } from './spoof-rules.js'

/** The way out of the host. */
export interface Uplink {
  interface: string
  /** True when forwarding was off before: then nothing but guests' traffic may be forwarded, as if it still were off. */
  onlyGuests: boolean
}

/** Names in nftables have no hyphens here, to be safe with all versions. */
export const tableName = (cloudId: string): string => `kilonova_${cloudId.replaceAll(/[^A-Za-z0-9]/g, '')}`

export function firewallRules(table: string, bridges: readonly HostBridge[], uplink: Uplink | null): string {
  const quoted = (names: readonly string[]): string => `{ ${names.map((name) => `"${name}"`).join(', ')} }`
  const all = quoted(bridges.map((bridge) => bridge.name))
  const lines = [...spoofRules(table, bridges), `add table inet ${table}`, `delete table inet ${table}`]
  if (bridges.length === 0) return `${lines.join('\n')}\n`

  const input = bridges.flatMap(({ name, subnet }) =>
    subnet === null
      ? []
      : [
          `iifname "${name}" udp sport 68 udp dport 67 accept`,
          `iifname "${name}" ip saddr ${subnet.cidr} ip daddr ${subnet.gatewayIp} udp dport 53 accept`,
          `iifname "${name}" ip saddr ${subnet.cidr} ip daddr ${subnet.gatewayIp} tcp dport 53 accept`,
        ],
  )
  const inside = bridges.map(({ name }) => `iifname "${name}" oifname "${name}" accept`)
  const outward =
    uplink === null
      ? []
      : bridges.flatMap(({ name, subnet }) =>
          subnet === null
            ? []
            : [
                // Link-local addresses outside are not meant for guests: clouds hand the host's own credentials out there.
                `iifname "${name}" ip daddr 169.254.0.0/16 drop`,
                `iifname "${name}" oifname "${uplink.interface}" ip saddr ${subnet.cidr} accept`,
                `iifname "${uplink.interface}" oifname "${name}" ct state established,related accept`,
              ],
        )
  const masquerade =
    uplink === null
      ? []
      : bridges.flatMap(({ subnet }) => (subnet === null ? [] : [`ip saddr ${subnet.cidr} oifname "${uplink.interface}" masquerade`]))
  const chain = (name: string, hook: string, rules: readonly string[]): string[] => [
    `  chain ${name} {`,
    `    ${hook}; policy accept;`,
    ...rules.map((rule) => `    ${rule}`),
    '  }',
  ]
  return [
    ...lines,
    `table inet ${table} {`,
    ...chain('input', 'type filter hook input priority -10', [
      // Answers to what the host itself began.
      `iifname ${all} ct state established,related accept`,
      ...input,
      `iifname ${all} drop`,
    ]),
    ...chain('forward', 'type filter hook forward priority -10', [
      ...inside,
      ...outward,
      `iifname ${all} drop`,
      `oifname ${all} drop`,
      ...(uplink?.onlyGuests === true ? [`iifname "${uplink.interface}" drop`] : []),
    ]),
    ...chain('postrouting', 'type nat hook postrouting priority 100', masquerade),
    '}',
    '',
  ].join('\n')
}

export async function applyFirewall(commands: HostCommands, rules: string): Promise<void> {
  await commands.run('nft', ['-f', '-'], rules)
}
