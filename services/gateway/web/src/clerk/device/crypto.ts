// What lies on the device lies there encrypted: a random data key, wrapped by a key that the person's PIN gives.
// Pure WebCrypto. A PIN is short, so whoever takes the device's disk away can try all of them; PBKDF2 makes each
// try dear (0.1-1 s), and that is all that it does.

export const ITERATIONS = 600_000
const bytes = (length: number) => crypto.getRandomValues(new Uint8Array(length))

/** Encrypted content: AES-GCM with a fresh 96-bit nonce, bound to the name of what it is. */
export interface Sealed {
  nonce: Uint8Array<ArrayBuffer>
  data: ArrayBuffer
}
/** A data key as it lies on the device. */
export interface WrappedKey {
  salt: Uint8Array<ArrayBuffer>
  nonce: Uint8Array<ArrayBuffer>
  iterations: number
  key: ArrayBuffer
}

async function fromPin(pin: string, salt: Uint8Array<ArrayBuffer>, iterations: number): Promise<CryptoKey> {
  const raw = await crypto.subtle.importKey('raw', new TextEncoder().encode(pin), 'PBKDF2', false, ['deriveKey'])
  const how = { name: 'PBKDF2', hash: 'SHA-256', salt, iterations }
  return crypto.subtle.deriveKey(how, raw, { name: 'AES-GCM', length: 256 }, false, ['wrapKey', 'unwrapKey'])
}

/** A new data key, and how it is kept. */
export async function newKey(pin: string): Promise<{ key: CryptoKey; wrapped: WrappedKey }> {
  const made = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, true, ['encrypt', 'decrypt'])
  const [salt, nonce] = [bytes(16), bytes(12)]
  const key = await crypto.subtle.wrapKey('raw', made, await fromPin(pin, salt, ITERATIONS), {
    name: 'AES-GCM',
    iv: nonce,
  })
  const wrapped = { salt, nonce, iterations: ITERATIONS, key }
  return { key: (await unwrap(pin, wrapped))!, wrapped } // the one in use can not be taken out of the browser
}

/** The data key, or null where the PIN is another. */
export async function unwrap(pin: string, wrapped: WrappedKey): Promise<CryptoKey | null> {
  const by = await fromPin(pin, wrapped.salt, wrapped.iterations)
  const how = { name: 'AES-GCM', iv: wrapped.nonce }
  try {
    return await crypto.subtle.unwrapKey('raw', wrapped.key, by, how, 'AES-GCM', false, ['encrypt', 'decrypt'])
  } catch {
    return null
  }
}

const named = (name: string) => new TextEncoder().encode(name)

export async function seal(key: CryptoKey, name: string, content: unknown): Promise<Sealed> {
  const nonce = bytes(12)
  const plain = new TextEncoder().encode(JSON.stringify(content))
  const data = await crypto.subtle.encrypt({ name: 'AES-GCM', iv: nonce, additionalData: named(name) }, key, plain)
  return { nonce, data }
}

/** What `seal` has sealed under this name. Throws where it was changed. */
export async function unseal<T>(key: CryptoKey, name: string, sealed: Sealed): Promise<T> {
  const how = { name: 'AES-GCM', iv: sealed.nonce, additionalData: named(name) }
  return JSON.parse(new TextDecoder().decode(await crypto.subtle.decrypt(how, key, sealed.data))) as T
}
