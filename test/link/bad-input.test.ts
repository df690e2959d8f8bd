/** Links with options that do not exist, or that are none: an error at once that names them. */

import { PassThrough } from 'node:stream';
import { expect } from 'chai';
import { captured } from '../../src/link/captured.ts';
import { linkFromDuplex } from '../../src/link/duplex.ts';
import { createEthernet } from '../../src/link/ethernet.ts';
import { impaired } from '../../src/link/impaired.ts';
import { createPipe } from '../../src/link/pipe.ts';
import { createSwitch } from '../../src/link/switch.ts';
import { openTun } from '../../src/link/tun.ts';
import { linkFromMessagePort } from '../../src/web/message-port.ts';
import { linkFromWebSocket } from '../../src/web/websocket.ts';

const listens = { addEventListener: () => {}, postMessage: () => {}, send: () => {}, close: () => {} };

const MAKERS: Readonly<Record<string, (options: never) => unknown>> = {
  createPipe,
  createSwitch,
  captured: (options) => captured(createPipe()[0], Object.assign({ write: () => {} }, options)),
  impaired: (options) => impaired(createPipe()[0], options),
  createEthernet: (options) => createEthernet(createPipe()[0], options),
  linkFromDuplex: (options) => linkFromDuplex(new PassThrough({ objectMode: true }), options),
  linkFromMessagePort: (options) => linkFromMessagePort(listens as never, options),
  linkFromWebSocket: (options) => linkFromWebSocket(listens as never, options),
  openTun,
};

describe('links, with options that there are not', () => {
  for (const [name, make] of Object.entries(MAKERS)) {
    it(name, () => {
      for (const option of ['nosuch', 'Mtu', 'latencyMs'])
        expect(() => make({ [option]: 1 } as never), option).to.throw(Error, `no option ${option}`);
    });
  }
});
