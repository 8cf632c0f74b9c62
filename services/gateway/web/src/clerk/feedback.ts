// Sound and vibration: whoever looks at the shelf and not at the screen knows whether it went well.
let audio: AudioContext | null = null

function tone(hertz: number, from_s: number, for_s: number): void {
  audio ??= new AudioContext()
  if (audio.state === 'suspended') void audio.resume() // it was made before anybody touched the page
  const [wave, volume] = [audio.createOscillator(), audio.createGain()]
  const start = audio.currentTime + from_s
  wave.frequency.value = hertz
  volume.gain.setValueAtTime(0.2, start)
  volume.gain.exponentialRampToValueAtTime(0.001, start + for_s)
  wave.connect(volume).connect(audio.destination)
  wave.start(start)
  wave.stop(start + for_s)
}

export function well(): void {
  tone(880, 0, 0.12)
  tone(1320, 0.1, 0.15)
  navigator.vibrate?.(80)
}

export function badly(): void {
  tone(220, 0, 0.25)
  tone(180, 0.3, 0.35)
  navigator.vibrate?.([200, 100, 200])
}
