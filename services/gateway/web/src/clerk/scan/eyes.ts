// Reads codes from the camera's pictures: by the browser's own detector, or where it has none (iPhones, desks) by `qr`,
// which reads QR codes, such as all our labels are.
import decodeQR from 'qr/decode.js'

interface Detector {
  detect(source: HTMLVideoElement): Promise<{ rawValue: string }[]>
}
declare global {
  interface Window {
    BarcodeDetector?: {
      new (how: { formats: string[] }): Detector
      getSupportedFormats(): Promise<string[]>
    }
  }
}
/** The first code in the picture, or null. */
export type See = (video: HTMLVideoElement) => Promise<string | null>

const WANTED = ['qr_code', 'code_128', 'ean_13', 'data_matrix']

export async function eyes(): Promise<See> {
  const known = (await window.BarcodeDetector?.getSupportedFormats().catch(() => [])) ?? []
  return known.includes('qr_code') ? browsers(WANTED.filter((one) => known.includes(one))) : ours()
}

function browsers(formats: string[]): See {
  const detector = new window.BarcodeDetector!({ formats })
  return async (video) => (await detector.detect(video).catch(() => []))[0]?.rawValue ?? null
}

function ours(): See {
  const pen = document.createElement('canvas').getContext('2d', { willReadFrequently: true })
  return async (video) => {
    const { videoWidth: width, videoHeight: height } = video
    if (!pen || !width || !height) return null
    Object.assign(pen.canvas, { width, height })
    pen.drawImage(video, 0, 0)
    try {
      return decodeQR(pen.getImageData(0, 0, width, height))
    } catch {
      return null // no code in this picture
    }
  }
}
