/** Classes that may be called without `new`, as those of `node:net`. */
type AnyClass = new (...args: never[]) => object;

/**
 * @param name what it is called
 * @param isOther whether what is asked for is to be made by `Other`, whose objects count as instances too
 * @returns `Class`, to be called with and without `new`
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
        : (Reflect.construct(target, args, newTarget as AnyClass) as object),
    apply: (_target, _self, args) => Reflect.construct(made, args) as object,
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
