/**
 * In whose context events of createNet come, and what comes before what: accepted before connected, data before a reset, last words before the end.
 * `--list order` with `--tests` for each of node/net-parity.test.js, node/dgram.test.js, node/net-host.test.js, link/ethernet*.test.js and host.test.js.
 */
const change =
  (file) =>
  (name, find, replace = '') => ({ file, name, find, replace });
const context = change('node/net/context');
const handle = change('node/net/stream-handle');
const listening = change('node/net/listen-handle');
const calls = change('tcp/calls');
const own = change('link/ethernet-own');
const dgram = change('node/dgram/socket');
const host = change('host');
const stack = change('stack/stack');

export default [
  context(
    'what is accepted inherits a context',
    'nobody.runInAsyncScope(() => new AsyncResource(type))',
    'new AsyncResource(type)',
  ),
  context('a write is done in any context', '(...args) => context.runInAsyncScope(call, undefined, ...args)', 'call'),
  handle(
    'events of a connection come in any context',
    'this.#context.runInAsyncScope(this.#serve, this);',
    'this.#serve();',
  ),
  handle(
    'what is accepted is in the context of who looks',
    "contextOfNobody('TCPWRAP')",
    "new AsyncResource('TCPWRAP')",
  ),
  listening(
    'connections come in any context',
    'this.#context.runInAsyncScope(this.#acceptAll, this);',
    'this.#acceptAll();',
  ),
  handle('connected before accepted', 'if (this.#connecting === undefined)', 'if (true)'),
  calls(
    'a close with something unread forgets what was written',
    'sendFirst(connection, now); abort(connection, REASON_ABORTED, now); return;',
    'abort(connection, REASON_ABORTED, now); return;',
  ),
  own('nobody waits for what lies in the link', 'own.waits < MAX_WAITS', 'false'),
  own('waited for once', 'own.waits++;', 'own.waits = MAX_WAITS;'),
  own('waited for without end', '&& own.waits < MAX_WAITS', ''),
  dgram('a host that closes leaves its dgram sockets', 'host.open.add(this.#end);'),
  dgram('a closed dgram socket stays with its host', 'this.#host.open.delete(this.#end);'),
  dgram('a closed dgram socket holds its signal', "this.#signal?.removeEventListener('abort', this.#end.close);"),
  host('no close is orderly', 'stack.close(orderly);', 'stack.close();'),
  stack('no last words', 'if (orderly) this.#sendLast();', ''),
  stack('every close is orderly', 'if (orderly) this.#sendLast();', 'this.#sendLast();'),
];
