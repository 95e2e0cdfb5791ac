import { Field, ID, InputType, ObjectType, registerEnumType } from 'type-graphql'
import { DateTime } from '../../graphql/scalars.js'

export const ConsoleType = {
  NOVNC: 'NOVNC',
  SERIAL: 'SERIAL',
} as const
export type ConsoleType = (typeof ConsoleType)[keyof typeof ConsoleType]
registerEnumType(ConsoleType, {
  name: 'ConsoleType',
  description: 'Console protocol with its client.',
  valuesConfig: {
    NOVNC: { description: 'VNC by noVNC.' },
    SERIAL: { description: 'Serial port over WebSocket.' },
  },
})

export const ConsoleMode = {
  CONTROL: 'CONTROL',
  VIEW: 'VIEW',
} as const
export type ConsoleMode = (typeof ConsoleMode)[keyof typeof ConsoleMode]
registerEnumType(ConsoleMode, {
  name: 'ConsoleMode',
  description: 'What a session may do.',
  valuesConfig: {
    CONTROL: { description: 'See and type.' },
    VIEW: { description: 'See only.' },
  },
})

@ObjectType({ description: 'A console ready to be opened.', simpleResolvers: true })
export class Console {
  @Field(() => ConsoleType)
  type!: ConsoleType
  @Field(() => ConsoleMode)
  mode!: ConsoleMode
  @Field(() => String, { description: 'Client page; carries the token in its fragment.' })
  url!: string
  @Field(() => String, { description: 'WebSocket address for own clients; send the token as subprotocol or first message.' })
  webSocketUrl!: string
  @Field(() => String, { description: 'Single use, bound to server, user, type and mode.' })
  token!: string
  @Field(() => DateTime, { description: 'The token must be used before; at most 600 s, by default 60 s.' })
  expiresAt!: number
}

@ObjectType({ description: 'Result of createConsole.', simpleResolvers: true })
export class CreateConsolePayload {
  @Field(() => Console)
  console!: Console
}

@InputType({ description: 'Console to open.' })
export class CreateConsoleInput {
  @Field(() => ID, { description: 'Server.' })
  serverId!: string
  @Field(() => ConsoleType, { description: 'Protocol.' })
  type!: ConsoleType
  @Field(() => ConsoleMode, { description: 'Rights.', defaultValue: 'CONTROL' })
  mode!: ConsoleMode
  @Field(() => String, { nullable: true, description: 'Retry key.' })
  idempotencyKey?: string | null
}
