/** What a cell's conductor offers its agents and console proxies. Topic: `conductor.<cell>`. */
import { z } from 'zod'
import { consoleBytes, consoleBytesWanted, consoleTarget, consoleTypes, workKey } from './agent.js'
import { method } from './method.js'

export const errorReport = z.object({
  code: z.string(),
  message: z.string(),
  exception: z.string().optional(),
  details: z.string().optional(),
})

export const workOutcome = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('done'), result: z.record(z.string(), z.unknown()) }),
  z.object({ kind: z.literal('failed'), error: errorReport, hostAtFault: z.boolean() }),
])
export type WorkOutcome = z.infer<typeof workOutcome>

/** A host as its agent reports it; what placement and the scheduler learn of it. */
export const nodeReport = z.object({
  host: z.string(),
  nodeId: z.string(),
  hypervisorHostname: z.string(),
  hypervisorType: z.enum(['QEMU', 'FAKE']),
  hypervisorVersion: z.number().int(),
  hostIp: z.string(),
  serviceVersion: z.number().int(),
  vcpus: z.number().int(),
  memoryMb: z.number().int(),
  diskGb: z.number().int(),
  reserved: z.object({ vcpus: z.number().int(), memoryMb: z.number().int(), diskGb: z.number().int() }),
  /** Ratios of the configuration; null where it leaves the choice to placement (C-ALR-2). */
  allocationRatios: z.object({
    vcpus: z.number().nullable(),
    memoryMb: z.number().nullable(),
    diskGb: z.number().nullable(),
  }),
  initialAllocationRatios: z.object({ vcpus: z.number(), memoryMb: z.number(), diskGb: z.number() }),
  /** [architecture, hypervisor type, vm mode] triples (C-FLT-13). */
  supportedInstances: z.array(z.tuple([z.string(), z.string(), z.string()])),
  traits: z.array(z.string()),
  consoleTypes: z.array(z.enum(consoleTypes)),
})
export type NodeReport = z.infer<typeof nodeReport>

export const hostServer = z.object({
  serverId: z.string(),
  vmState: z.string(),
  taskState: z.string().nullable(),
  /** Image its disk was made from: the host keeps it. */
  imageId: z.string().nullable(),
  /** True while a saga decides over this server: the agent leaves it alone. */
  sagaAlive: z.boolean(),
  fence: z.number().int(),
})

export const conductorService = {
  /** An agent has started: its node is recorded, its servers are repaired (D-SYN-2). */
  register: method('register', z.object({ node: nodeReport, agentRunId: z.string() }), z.object({ serviceId: z.string() })),
  heartbeat: method('heartbeat', z.object({ host: z.string(), agentRunId: z.string() }), z.object({ known: z.boolean() })),
  /** Outcome of a piece of work. The answer acknowledges it; until then the agent repeats it. */
  report: method('report', z.object({ key: workKey, host: z.string(), outcome: workOutcome }), z.object({})),
  /** Asked before a guest is started: is this work still wanted, here? */
  authorize: method('authorize', z.object({ key: workKey, host: z.string() }), z.object({ wanted: z.boolean() })),
  /** What the agent should have: everything else of this cloud on the host is a leftover. */
  hostServers: method('hostServers', z.object({ host: z.string() }), z.object({ servers: z.array(hostServer) })),
  powerStateChanged: method(
    'powerStateChanged',
    z.object({ host: z.string(), serverId: z.string(), powerState: z.number().int() }),
    z.object({}),
  ),
  /** Console proxies trade a token for the place it leads to. Null: unknown, used or expired. */
  redeemConsoleToken: method(
    'redeemConsoleToken',
    /** Never the token itself: the bus keeps for a while what it carries. */
    z.object({ tokenHash: z.string(), type: z.enum(consoleTypes), clientAddress: z.string() }),
    z.object({
      session: z
        .object({
          sessionId: z.string(),
          serverId: z.string(),
          userId: z.string(),
          projectId: z.string(),
          loginSessionId: z.string(),
          mode: z.enum(['CONTROL', 'VIEW']),
          /** Whether the user may also see what was written before (`os-console-output`). */
          seesPast: z.boolean(),
          target: consoleTarget,
        })
        .nullable(),
    }),
  ),
  /** May this open console go on? Asked on every relevant event and every 30 s. */
  consoleStillAllowed: method(
    'consoleStillAllowed',
    z.object({ serverId: z.string(), userId: z.string(), projectId: z.string(), loginSessionId: z.string(), type: z.enum(consoleTypes) }),
    /** `mayReturn`: the same user may open the console again later, when the server runs again. */
    z.object({ allowed: z.boolean(), reason: z.string().nullable(), mayReturn: z.boolean() }),
  ),
  /** What a guest has written to its serial port, for the terminals of console proxies. */
  serialBytes: method('serialBytes', consoleBytesWanted, consoleBytes),
}
export type ConductorService = typeof conductorService

export const conductorTopic = (cellId: string): string => `conductor.${cellId}`
/** Fan-out: something about a server or a session changed so that open consoles must be looked at again. */
export const consoleRecheckTopic = 'console.recheck'
export const consoleRecheck = z.union([
  z.object({ serverId: z.string() }),
  /** Logins that have ended. */
  z.object({ sessionIds: z.array(z.string()) }),
  /** Rights changed: users, projects or roles. */
  z.object({ all: z.literal(true) }),
])
export type ConsoleRecheck = z.infer<typeof consoleRecheck>
