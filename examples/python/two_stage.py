"""Fine-tunes a model in two stages, watches the job to its end, and streams an answer of the result.

Needs grpcio and protobuf (Debian, Ubuntu: apt-get install python3-grpcio python3-protobuf) and the stubs, which
generate_stubs.sh makes. With a server running (./instructtune up), a base and two datasets imported:

    python3 two_stage.py --base tiny --generalist lima --specialist reviews --instruction "Is this review positive?"
"""

import argparse
import json
import os
import pathlib
import sys
import uuid

import grpc

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, os.environ.get("INSTRUCTTUNE_PYTHON_STUBS", str(HERE / "generated")))

from instructtune.v1 import fine_tune_service_pb2 as fine_tune  # noqa: E402
from instructtune.v1 import fine_tune_service_pb2_grpc as fine_tune_grpc  # noqa: E402
from instructtune.v1 import inference_service_pb2 as inference  # noqa: E402
from instructtune.v1 import inference_service_pb2_grpc as inference_grpc  # noqa: E402
from instructtune.v1 import job_pb2 as job  # noqa: E402
from instructtune.v1 import prompt_pb2 as prompt  # noqa: E402

CALL_TIMEOUT_SECONDS = 30
GENERATION_TIMEOUT_SECONDS = 600


def find_server():
    """Address and key: from the environment, else from the file that the server on this machine wrote."""
    address = os.environ.get("INSTRUCTTUNE_SERVER")
    key = os.environ.get("INSTRUCTTUNE_API_KEY", "")
    if not address:
        home = os.environ.get("INSTRUCTTUNE_HOME") or pathlib.Path.home() / ".local/share/instructtune"
        endpoint = pathlib.Path(home) / "endpoint.json"
        if not endpoint.exists():
            sys.exit("No server is known: start one with ./instructtune up, or set INSTRUCTTUNE_SERVER.")
        content = json.loads(endpoint.read_text())
        address, key = content["address"], key or content["apiKey"]
    return address.split("://", 1)[-1].rstrip("/"), [("authorization", f"Bearer {key}")]


def create_job(service, metadata, options):
    stages = [("generalist", options.generalist), ("specialist", options.specialist)]
    request = fine_tune.CreateFineTuneJobRequest(
        # With an id the call may be repeated without making a second job.
        request_id=str(uuid.uuid4()),
        fine_tune_job=fine_tune.FineTuneJob(
            spec=fine_tune.FineTuneSpec(
                base_model=f"models/{options.base}/versions/latest",
                seed=options.seed,
                stages=[
                    fine_tune.FineTuneSpec.Stage(
                        stage_id=stage_id, dataset=f"datasets/{dataset}", max_steps=options.max_steps, epochs=1
                    )
                    for stage_id, dataset in stages
                ],
            )
        ),
    )
    return service.CreateFineTuneJob(request, metadata=metadata, timeout=CALL_TIMEOUT_SECONDS)


def watch_job(service, metadata, name):
    """Prints what happens. A lost connection is taken up again after the last event that was seen."""
    after = 0
    while True:
        try:
            request = fine_tune.WatchFineTuneJobRequest(name=name, after_sequence=after)
            for response in service.WatchFineTuneJob(request, metadata=metadata):
                update = response.update
                if update.WhichOneof("update") != "event":
                    continue
                event = update.event
                after = event.sequence
                kind = event.WhichOneof("event")
                if kind == "state_changed":
                    print(f"state {job.JobState.Name(event.state_changed.to)}", flush=True)
                elif kind == "metrics_reported":
                    metrics = event.metrics_reported
                    loss = metrics.values["training_loss"] if "training_loss" in metrics.values else float("nan")
                    print(f"{metrics.stage_id} step {metrics.step}/{metrics.planned_steps} loss {loss:.4f}", flush=True)
            return
        except grpc.RpcError as error:
            if error.code() != grpc.StatusCode.UNAVAILABLE or after == 0:
                raise


def stream_answer(service, metadata, model, instruction):
    request = inference.GenerateRequest(
        model=model,
        instruction=prompt.Instruction(instruction=instruction),
        max_output_tokens=32,
        sampling=inference.SamplingParameters(temperature=0),
    )
    for part in service.StreamGenerate(request, metadata=metadata, timeout=GENERATION_TIMEOUT_SECONDS):
        print(part.text_delta, end="", flush=True)
    print()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--base", required=True, help="name of an imported model")
    parser.add_argument("--generalist", required=True, help="name of an imported dataset")
    parser.add_argument("--specialist", required=True, help="name of an imported dataset")
    parser.add_argument("--instruction", required=True)
    parser.add_argument("--max-steps", type=int, default=0, help="end each stage after this many steps")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()

    address, metadata = find_server()
    try:
        with grpc.insecure_channel(address) as channel:
            trainer = fine_tune_grpc.FineTuneServiceStub(channel)
            created = create_job(trainer, metadata, options)
            print(f"created {created.name}", flush=True)
            watch_job(trainer, metadata, created.name)
            ended = trainer.GetFineTuneJob(
                fine_tune.GetFineTuneJobRequest(name=created.name), metadata=metadata, timeout=CALL_TIMEOUT_SECONDS
            )
            if ended.job.state != job.JOB_STATE_SUCCEEDED:
                sys.exit(f"{created.name} did not succeed: {ended.job.error.message}")
            print(f"model {ended.model_version}", flush=True)
            stream_answer(inference_grpc.InferenceServiceStub(channel), metadata, ended.model_version, options.instruction)
    except grpc.RpcError as error:
        sys.exit(f"The call failed ({error.code().name}): {error.details()}")


if __name__ == "__main__":
    main()
