/** For `node --import`: what `endWithParent` says, in a process that takes the place of one that `npm start` began. */
import { endWithParent } from './parent.mjs';

endWithParent();
