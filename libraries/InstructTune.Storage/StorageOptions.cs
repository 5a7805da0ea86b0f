using System.ComponentModel.DataAnnotations;

namespace InstructTune.Storage;

/// <summary>Where artifacts and documents lie.</summary>
public sealed class StorageOptions
{
    public const string Section = "Storage";

    /// <summary>Folder of everything kept on disk. All replicas of a service see the same one.</summary>
    [Required(AllowEmptyStrings = false)]
    public string Root { get; set; } = "";
}
