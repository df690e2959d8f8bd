/** In whose context events come: what AsyncLocalStorage gives a listener, and async_hooks tell of. */
import { AsyncResource } from 'node:async_hooks';

/** No program's: made when this file is loaded. */
const nobody = new AsyncResource('TUNSTACK', { requireManualDestroy: true });

/** A context of its own that inherits from none. @param type as async_hooks call it */
export function contextOfNobody(type: string): AsyncResource {
  return nobody.runInAsyncScope(() => new AsyncResource(type));
}

/** The call in the context of who asks for it now. @param type as async_hooks call it */
export function inContext<Args extends unknown[]>(
  type: string,
  call: (...args: Args) => void,
): (...args: Args) => void {
  const context = new AsyncResource(type);
  return (...args) => context.runInAsyncScope(call, undefined, ...args);
}
