// A photo as it is sent: small, and without what a camera writes beside the image (where it was taken, say).
const LONGEST_PX = 1280
const MOST_CHARS = 680_000 // of base64: 512 KiB less a little
const QUALITIES = [0.7, 0.5, 0.3]

/** JPEG in base64. Rejects what is no image. */
export async function photoOf(file: Blob): Promise<string> {
  const image = await createImageBitmap(file)
  const scale = Math.min(1, LONGEST_PX / Math.max(image.width, image.height))
  const canvas = document.createElement('canvas')
  canvas.width = Math.round(image.width * scale)
  canvas.height = Math.round(image.height * scale)
  canvas.getContext('2d')!.drawImage(image, 0, 0, canvas.width, canvas.height)
  image.close()
  const tries = QUALITIES.map((quality) => canvas.toDataURL('image/jpeg', quality).split(',')[1]!)
  return tries.find((one) => one.length <= MOST_CHARS) ?? tries.at(-1)!
}
