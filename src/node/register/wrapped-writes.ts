/**
 * Writes and the end of Node's wrap of a stream (under http2 and tls), when the stream is a socket of ours: they are done when the stack has taken them, as on a
 * handle. The wrap's own are done a turn of the event loop later, and until then http2 neither writes more nor reads: what it had to say before it
 * destroyed a stream or a session was lost.
 */
import { EPIPE } from '../../socket/errno.ts';
import { Socket } from '../net/socket.ts';
import { ECANCELED } from '../net/stream-handle.ts';
import type { Wrap, WrapHandle } from './wrap.ts';

export function passWrites(prototype: Wrap): void {
  const own = { write: prototype.doWrite, finish: prototype.finishWrite };
  const requests = new WeakMap<Wrap, object>();

  prototype.doWrite = function (request, list) {
    const { stream, _handle: handle } = this;
    if (!(stream instanceof Socket)) return own.write.call(this, request, list);
    // What TLS has to say after its end (an answer to what still comes) fails as on a handle, and not the stream with it.
    if (stream.writableEnded) return -EPIPE;
    requests.set(this, request);
    // It is being closed: that cancels what waits.
    if (handle === null) return 0;
    let left = list.length;
    const done = (error?: (Error & { errno?: number }) | null) => {
      left--;
      if (requests.get(this) !== request) return;
      if (error) this.finishWrite(handle, error.errno ?? -EPIPE);
      else if (left === 0) this.finishWrite(handle, 0);
    };
    stream.cork();
    for (const bytes of list) stream.write(bytes, done);
    stream.uncork();
    return 0;
  };

  prototype.finishWrite = function (handle, status) {
    if (!(this.stream instanceof Socket)) return own.finish.call(this, handle, status);
    const request = requests.get(this);
    if (request === undefined) return;
    requests.delete(this);
    handle.finishWrite(request, status);
  };
}

/** What the bytes that came had as an answer is written when all of them were looked at: before anything else runs that could write. */
export function finishAnswers(wrap: Wrap, stream: Socket): void {
  stream.on('data', () => {
    const { _handle: handle } = wrap;
    if (handle !== null && stream.writableLength === 0) wrap.finishWrite(handle, 0);
  });
}

/**
 * What stands on a wrap hears of its end as soon as nothing else runs. Node's own tells it a turn of the event loop later, when other streams have
 * gone on as if nothing were.
 */
export function passCloses(prototype: Wrap): void {
  const { doClose: close } = prototype;
  prototype.doClose = function (done) {
    if (!(this.stream instanceof Socket)) return close.call(this, done);
    const handle = this._handle as WrapHandle;
    let isDone = false;
    const once = () => {
      if (isDone) return;
      isDone = true;
      this.finishWrite(handle, -ECANCELED);
      done();
    };
    // Whoever destroyed it has an error to emit in between.
    process.nextTick(() => process.nextTick(once));
    close.call(this, once);
  };
}
