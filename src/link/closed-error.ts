/** What `send` of a link throws after its `close`. */
export class LinkClosedError extends Error {
  override readonly name = 'LinkClosedError';
  readonly code = 'ERR_LINK_CLOSED';

  /** `link`: its name. */
  constructor(link: string) {
    super(`${link} was closed: nothing can be sent on it`);
  }
}
