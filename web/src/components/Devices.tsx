import { useMediaDeviceSelect } from "@livekit/components-react";
import { supportsAudioOutputSelection, type Room } from "livekit-client";
import { useCallback, useId, useState } from "react";

/** Which microphone, and where the browser allows it, which speaker. */
export function Devices({ room, microphone }: { room: Room; microphone: boolean }) {
  return (
    <div className="devices" data-testid="devices">
      {microphone && <DeviceSelect room={room} kind="audioinput" label="Microphone" />}
      {supportsAudioOutputSelection() && (
        <DeviceSelect room={room} kind="audiooutput" label="Speaker" />
      )}
      {!microphone && !supportsAudioOutputSelection() && (
        <p className="hint">This browser chooses the speaker itself.</p>
      )}
    </div>
  );
}

function DeviceSelect(props: { room: Room; kind: MediaDeviceKind; label: string }) {
  const { room, kind, label } = props;
  const id = useId();
  const [failed, setFailed] = useState(false);
  const onError = useCallback(() => setFailed(true), []);
  const { devices, activeDeviceId, setActiveMediaDevice } = useMediaDeviceSelect({
    kind,
    room,
    requestPermissions: false,
    onError,
  });
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <select
        id={id}
        data-testid={`device-${kind}`}
        value={activeDeviceId}
        disabled={devices.length === 0}
        onChange={(event) => {
          setFailed(false);
          setActiveMediaDevice(event.target.value).catch(onError);
        }}
      >
        {devices.length === 0 && <option>None found</option>}
        {devices.map((device, index) => (
          <option key={device.deviceId} value={device.deviceId}>
            {device.label || `${label} ${index + 1}`}
          </option>
        ))}
      </select>
      {failed && (
        <p className="field-error" role="alert" data-testid="alert">
          This one could not be used. Choose another.
        </p>
      )}
    </div>
  );
}
