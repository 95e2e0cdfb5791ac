import { Field, ID, InputType, ObjectType } from 'type-graphql'
import { OperationPayload } from '../../graphql/operation-payload.js'

@InputType({ description: 'Which operation to stop.' })
export class CancelOperationInput {
  @Field(() => ID, { description: 'Operation.' })
  operationId!: string
  @Field(() => String, { nullable: true, description: 'Retry key.' })
  idempotencyKey?: string | null
}

@ObjectType({
  description: 'Result of cancelOperation; the state turns CANCELLED when the work has stopped.',
  simpleResolvers: true,
  implements: OperationPayload,
})
export class CancelOperationPayload extends OperationPayload {}
