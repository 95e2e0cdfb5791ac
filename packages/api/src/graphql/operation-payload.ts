import { Field, InterfaceType } from 'type-graphql'
import { Operation } from '../modules/operations/operation.types.js'

@InterfaceType({ description: 'Payload of every mutation whose work goes on after the answer.' })
export abstract class OperationPayload {
  @Field(() => Operation, { description: 'Follow it with operation(id) or operationChanged.' })
  operation!: Operation
}
