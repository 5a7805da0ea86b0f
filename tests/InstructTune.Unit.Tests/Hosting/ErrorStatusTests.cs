using Grpc.Core;
using InstructTune.Hosting;
using InstructTune.V1;

namespace InstructTune.Unit.Tests.Hosting;

public sealed class ErrorStatusTests
{
    public static TheoryData<ErrorReason> Reasons => [.. Enum.GetValues<ErrorReason>().Where(reason => reason != ErrorReason.Unspecified)];

    [Theory]
    [MemberData(nameof(Reasons))]
    public void An_error_that_crosses_a_process_comes_back_as_it_was(ErrorReason reason)
    {
        var sent = new DomainException(reason, "models/x does not exist.", ("resource", "models/x"));

        var received = ErrorStatus.FromPeer(sent.ToRpcException());

        Assert.NotNull(received);
        Assert.Equal(reason, received.Reason);
        Assert.Equal(sent.Message, received.Message);
        Assert.Equal("models/x", received.Metadata["resource"]);
    }

    [Fact]
    public void Every_violation_of_a_request_is_answered_at_once()
    {
        var violations = new FieldViolations().Check(isValid: false, "a", "must be set").Check(isValid: false, "b", "must be positive");

        var received = ErrorStatus.FromPeer(Assert.Throws<DomainException>(violations.ThrowIfAny).ToRpcException());

        Assert.Equal(["a", "b"], received!.Violations.Select(violation => violation.Field));
        Assert.Equal("a must be set; b must be positive.", received.Message);
    }

    [Fact]
    public void An_error_of_another_program_is_not_taken_for_ours() =>
        Assert.Null(ErrorStatus.FromPeer(new RpcException(new Status(StatusCode.NotFound, "nothing here"))));

    [Fact]
    public void Clients_may_try_again_exactly_what_can_pass_by_itself() => Assert.Equal(
        [ErrorReason.QueueFull, ErrorReason.Draining, ErrorReason.StoreUnreachable, ErrorReason.PeerUnreachable],
        Enum.GetValues<ErrorReason>().Where(reason => ErrorCatalog.RetryDelayOf(reason) is not null).Order());
}
