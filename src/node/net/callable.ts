/** Classes that may be called without `new`, as those of `node:net`. */
// biome-ignore lint/suspicious/noExplicitAny: a class of any arguments
type AnyClass = new (...args: any[]) => object;

/** What the next object of an adoptable class is to be. */
let adopted: object | undefined;

/**
 * `Base`, a function of Node's, as a class whose objects need not be new: `call`ed on an object, a class that extends it makes that object one of its
 * own, private fields and all. `http.Server` and old-style inheritance do that.
 */
export function adoptable<Base extends AnyClass>(Base: Base): Base {
  // A class that calls super(), not a function that makes objects on its own: V8 would take the two for rivals, and make hidden classes anew for every object.
  return class extends Base {
    // biome-ignore lint/suspicious/noExplicitAny: what a mixin takes
    // biome-ignore lint/correctness/noUnreachableSuper: an object that is there already needs none
    constructor(...args: any[]) {
      const self = adopted;
      adopted = undefined;
      if (self === undefined) {
        super(...args);
        return;
      }
      Reflect.apply(Base as unknown as (...all: unknown[]) => void, self, args);
      // biome-ignore lint/correctness/noConstructorReturn: that is the point
      return self as InstanceType<Base>;
    }
  };
}

/**
 * @param name what it is called
 * @param isOther whether what is asked for is to be made by `Other`, whose objects count as instances too
 * @returns `Class`, to be called with and without `new`; and on an object that is to become one of it
 */
export function callable<Class extends AnyClass>(
  Class: Class,
  name: string,
  isOther: (args: readonly unknown[]) => boolean = () => false,
  Other?: AnyClass,
): Class {
  Object.defineProperty(Class, 'name', { value: name });
  const made: Class = new Proxy(Class, {
    construct: (target, args, newTarget) =>
      isOther(args) && Other !== undefined
        ? Reflect.construct(Other, args)
        : // A proxy as new.target would have hidden classes of its own for every object.
          (Reflect.construct(target, args, newTarget === made ? target : (newTarget as AnyClass)) as object),
    apply: (target, self, args) => {
      if (isOther(args) && Other !== undefined && self instanceof Other)
        return Reflect.apply(Other as unknown as (...all: unknown[]) => object, self, args);
      if (!(self instanceof target)) return Reflect.construct(made, args) as object;
      adopted = self;
      try {
        return Reflect.construct(target, args) as object;
      } finally {
        adopted = undefined;
      }
    },
  });
  Class.prototype.constructor = made;
  Object.defineProperty(Class, Symbol.hasInstance, {
    value(this: AnyClass, one: unknown) {
      const isOwn = Function.prototype[Symbol.hasInstance].call(this, one);
      return isOwn || (this === made && Other !== undefined && one instanceof Other);
    },
  });
  return made;
}
