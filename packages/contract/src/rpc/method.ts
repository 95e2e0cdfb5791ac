/** How services describe what they offer each other: a name, what goes in, what comes out, and the version of the message. */
import type { z } from 'zod'

export interface RpcMethod<In extends z.ZodType = z.ZodType, Out extends z.ZodType = z.ZodType> {
  readonly name: string
  /** Raised when a field is added; receivers accept every version up to their own. */
  readonly version: number
  readonly input: In
  readonly output: Out
}

export const method = <In extends z.ZodType, Out extends z.ZodType>(
  name: string,
  input: In,
  output: Out,
  version = 1,
): RpcMethod<In, Out> => ({ name, version, input, output })

export type InputOf<M extends RpcMethod> = z.infer<M['input']>
export type OutputOf<M extends RpcMethod> = z.infer<M['output']>

/** A service: a set of methods under one topic. */
export type RpcService = Record<string, RpcMethod>
export type HandlersOf<S extends RpcService> = {
  [K in keyof S]: (input: InputOf<S[K]>) => Promise<OutputOf<S[K]>>
}
